#!/usr/bin/env python3
"""Recomputes list digests from entries: digest.py [FILE.csv], default the vectors beside it.

Columns: scope,kind,first,second,status,overridable,codes and, to be compared, bytes,digest.
Prints the sum of each scope and of all; exit status 1 where a given value is another.
"""
import csv
import hashlib
import pathlib
import sys

VERSION = 1
KINDS = {"imei": 1, "range": 2, "tac": 3, "pairing": 4}
STATUSES = {"white": 0, "black": 1, "grey": 2}


def second_key(kind, text):
    """An IMSI keeps its leading zeros: length x 10^15 + digits."""
    return len(text) * 10**15 + int(text) if kind == "pairing" else int(text or 0)


def canonical(row):
    scope = b"" if row["scope"] == "all" else row["scope"].encode()
    codes = sorted(code.encode() for code in row["codes"].split())
    return b"".join([
        bytes([VERSION, len(scope)]), scope,
        bytes([KINDS[row["kind"]]]),
        int(row["first"]).to_bytes(8, "big"),
        second_key(row["kind"], row["second"]).to_bytes(8, "big"),
        bytes([STATUSES[row["status"]], int(row["overridable"]), len(codes)]),
        *(bytes([len(code)]) + code for code in codes),
    ])


def text(number):
    return (number % 2**256).to_bytes(32, "little").hex()


def main():
    here = pathlib.Path(__file__).parent
    path = sys.argv[1] if len(sys.argv) > 1 else here / "digest-vectors.csv"
    sums, differences = {}, 0
    with open(path, newline="", encoding="ascii") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            data = canonical(row)
            number = int.from_bytes(hashlib.sha256(data).digest(), "little")
            sums[row["scope"]] = sums.get(row["scope"], 0) + number
            found = {"bytes": data.hex(), "digest": text(number)}
            for column in found:
                if row.get(column, found[column]) != found[column]:
                    print(f"line {line}: {column} is {found[column]}", file=sys.stderr)
                    differences += 1
    for scope in sorted(sums):
        print(scope, text(sums[scope]))
    print("sum", text(sum(sums.values())))
    sys.exit(1 if differences else 0)


main()
