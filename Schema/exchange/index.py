#!/usr/bin/env python3
"""Prints every entry of an index file: kind, keys, what is listed for all and for the own operator.

Written from index.md, not from the program. Exit status 1 if the file is not as described.
"""
import hashlib
import struct
import sys

NONE = 0xFFFF
STATUS = ["white", "black", "grey"]
SECTIONS = ["blocks", "directory", "ranges", "segments", "pairings", "slots", "classes"]


def number(data, offset, size):
    return int.from_bytes(data[offset : offset + size], "little")


def bits(data, start, index, width):
    """The number of `width` bits at place `index` of those packed from byte `start` on."""
    whole = number(data, start + index * width // 8, 8)
    return whole >> (index * width % 8) & ((1 << width) - 1)


def part(data, offset):
    status = data[offset]
    if status == 255:
        return "-", offset + 1
    overridable, count = data[offset + 1], data[offset + 2]
    offset += 3
    words = []
    for _ in range(count):
        length = data[offset]
        words.append(data[offset + 1 : offset + 1 + length].decode("ascii"))
        offset += 1 + length
    return f"{STATUS[status]}:{overridable}:{'+'.join(words)}", offset


def classes(data, section, count):
    offset, table = section[0], []
    for _ in range(count):
        both, offset = part(data, offset)
        own, offset = part(data, offset)
        table.append(f"{both} {own}")
    assert offset == sum(section), "class table"
    return table


def block(data, start, form, packing):
    """Serial and class number of each entry."""
    width, direct, wide = packing & 31, packing & 32, packing & 64
    palette = 0 if direct else 2 << width

    def class_number(index, table):
        return index if direct else number(data, table + 2 * index, 2)

    if form == 1:
        found = 0
        for line in range(2084):
            at = start + 64 * line
            assert number(data, at, 4) == found, "rank"
            for bit in range(480):
                if data[at + 4 + bit // 8] >> bit % 8 & 1:
                    table = start + 2084 * 64
                    index = bits(data, table + palette, found, width)
                    yield 480 * line + bit, class_number(index, table)
                    found += 1
        return
    size = 4 if wide else 2
    buckets = (999_999 >> form) + 1
    table = start + palette
    content = table + size * (buckets + 1)
    rest = form - 8 + width
    for bucket in range(buckets):
        first = content + number(data, table + size * bucket, size)
        last = content + number(data, table + size * (bucket + 1), size)
        count = 8 * (last - first) // (8 + rest)
        for entry in range(count):
            more = bits(data, first + count, entry, rest)
            high = more & ((1 << form - 8) - 1)
            serial = bucket << form | high << 8 | data[first + entry]
            yield serial, class_number(more >> form - 8, start)


def main(path):
    data = open(path, "rb").read()
    assert data[:8] == b"CEIRLIST" and number(data, 8, 4) == 1, "magic and version"
    assert hashlib.sha256(data[:480]).digest() == data[480:512], "header"
    sealed = number(data, 16, 8)
    assert hashlib.sha256(data[:sealed]).digest() == data[sealed : sealed + 32], "SHA-256"
    assert len(data) == sealed + 36 + number(data, sealed + 32, 4), "trailer"
    counts = struct.unpack_from("<4Q", data, 176)
    section = {}
    for place, name in enumerate(SECTIONS):
        section[name] = struct.unpack_from("<2Q", data, 208 + 16 * place)
    table = classes(data, section["classes"], number(data, 320, 4))
    imeis, ranges, tacs, pairings = [], [], [], []
    offset, length = section["directory"]
    for slot in range(offset, offset + length, 16):
        tac, at, size, own, form, packing = struct.unpack_from("<IIIHBB", data, slot)
        if tac == 0xFFFFFFFF:
            continue
        if own != NONE:
            tacs.append((tac, 0, own))
        if form:
            for serial, found in block(data, 8 * at, form, packing):
                imeis.append((tac * 1_000_000 + serial, 0, found))
    for name, entries in [("ranges", ranges), ("pairings", pairings)]:
        offset, length = section[name]
        for at in range(offset, offset + length, 24):
            entries.append(struct.unpack_from("<QQH", data, at))
    lists = [sorted(imeis), ranges, sorted(tacs), pairings]
    assert tuple(map(len, lists)) == counts, "counts"
    for kind, entries in enumerate(lists, start=1):
        for first, second, found in entries:
            print(kind, first, second, table[found])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: index.py FILE")
    try:
        main(sys.argv[1])
    except AssertionError as wrong:
        sys.exit(f"not as described: {wrong}")
