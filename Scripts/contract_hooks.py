"""What Scripts/contract-test teaches schemathesis: NDJSON, index files, and times and IMEIs that a
schema cannot describe in full."""
import datetime
import json

import schemathesis
from hypothesis import strategies as st


def body(value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.serializer("application/x-ndjson")
def write_lines(ctx, value):
    if isinstance(value, (bytes, str)):
        return body(value)
    lines = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@schemathesis.serializer("application/pkcs10")
def write_text(ctx, value):
    return body(value)


@schemathesis.deserializer("application/x-ndjson")
def read_lines(ctx, response):
    if response.content and not response.content.endswith(b"\n"):
        raise ValueError("the last line has no end")
    return [json.loads(line) for line in response.content.splitlines()]


def with_check_digit(number):
    digits = f"{number:014d}"
    total = 0
    for index, digit in enumerate(reversed(digits)):
        total += sum(divmod(int(digit) * 2, 10)) if index % 2 == 0 else int(digit)
    return digits + str(-total % 10)


NUMBERS = st.integers(min_value=0, max_value=10**14 - 1)
schemathesis.openapi.format(
    "imei", st.one_of(NUMBERS.map(lambda number: f"{number:014d}"), NUMBERS.map(with_check_digit)))
NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
# The registry refuses a time that lies ahead, and a sighting of more than 31 days ago (1014).
OLDEST = NOW - datetime.timedelta(days=30)


def text(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


schemathesis.openapi.format(
    "date-time", st.datetimes(min_value=OLDEST, max_value=NOW).map(text))
schemathesis.openapi.media_type("application/vnd.openceir.index", st.binary(max_size=2048))


def is_out_of_time(value):
    """Whether a message says that it was asked or seen at a time that is still to come, such as the
    `validUntil` of an answer, or seen long ago: no schema can say that this is refused."""
    if isinstance(value, list):
        return any(is_out_of_time(item) for item in value)
    if not isinstance(value, dict):
        return False
    times = [value.get("askedAt"), value.get("seenAt")]
    if any(isinstance(time, str) and time > text(NOW) for time in times):
        return True
    seen = value.get("seenAt")
    if isinstance(seen, str) and seen < text(OLDEST):
        return True
    return any(is_out_of_time(item) for item in value.values())


@schemathesis.hook
def filter_case(context, case):
    return not is_out_of_time(case.body)
