# SPDX-License-Identifier: GPL-2.0
"""More than anyone needs of everything, and just enough: the limits that a service has unless it is
told otherwise. RFC 9110 §4.1, §5.4, §15.5.15; RFC 6585 §5."""

from hostile.case import (
    CLIENT_ADDRESS,
    FORWARDED_FOR,
    Case,
    broken,
    chunked,
    last,
    passed,
    refused,
    request,
)

HEAD_MAX, TARGET_MAX, FIELDS_MAX = 16384, 8192, 100

# As many fields as make a head of `size` bytes with the others.
EMPTY = len(request(b"X: "))


def of_size(size: int) -> bytes:
    """A request whose head has this many bytes."""
    return request(b"X: " + b"y" * (size - EMPTY))


CASES = [
    passed("target at the limit", request(target=b"/" + b"a" * (TARGET_MAX - 1))),
    refused("target beyond the limit", request(target=b"/" + b"a" * TARGET_MAX), 414),
    refused("query beyond the limit", request(target=b"/?" + b"a" * TARGET_MAX), 414),
    refused("target beyond any head", request(target=b"/" + b"a" * 70_000), 414),
    refused(
        "absolute target beyond the limit", request(target=b"http://a/" + b"a" * TARGET_MAX), 414
    ),
    Case("target without end", (b"GET /" + b"a" * 200_000,), (414,)),
    passed("head at the limit", of_size(HEAD_MAX)),
    refused("head beyond the limit", of_size(HEAD_MAX + 1), 431),
    refused("head of 65535 bytes", of_size(65535), 431),
    refused("head of 65536 bytes", of_size(65536), 431),
    refused("head of 70000 bytes", of_size(70_000), 431),
    Case("value without end", (request()[:-2] + b"X: " + b"y" * 200_000,), (431,)),
    Case("name without end", (request()[:-2] + b"X" * 200_000,), (431,)),
    Case("fields without end", (request()[:-2] + b"X: y\r\n" * 30_000,), (431,)),
    Case("spaces without end", (request()[:-2] + b"X:" + b" " * 200_000,), (431,)),
    Case("cookies without end", (request()[:-2] + b"Cookie: a=b\r\n" * 20_000,), (431,)),
    passed("fields at the limit", request(*[b"X: y"] * (FIELDS_MAX - 1))),
    refused("fields beyond the limit", request(*[b"X: y"] * FIELDS_MAX), 431),
    refused("many fields", request(*[b"X:"] * 2000), 431),
    refused("empty names", request(*[b":"] * 2000)),
    passed("long name", request(b"X" * 10_000 + b": y")),
    passed("long value", request(b"X: " + b"y" * 10_000)),
    passed("many spaces", request(b"X:" + b" " * 10_000 + b"y")),
    passed("many cookies", request(b"Cookie: " + b"a=b;" * 3000)),
    passed("long list", request(b"X: " + b"," * 10_000)),
    Case(
        "address in a head at the limit",
        (of_size(HEAD_MAX),),
        (200,),
        (of_size(HEAD_MAX)[:-2] + b"X-Forwarded-For: " + CLIENT_ADDRESS + b"\r\n\r\n",),
        ends=True,
        port=FORWARDED_FOR,
    ),
    refused("version without end", b"GET / HTTP/1." + b"1" * 5000 + b"\r\nHost: a\r\n\r\n"),
    Case("line ends without end", (b"\r\n" * 50_000,), (400,)),
    Case("spaces for a request", (b" " * 50_000,), (400,)),
    Case("letters for a request", (b"A" * 50_000,), (501,)),
    passed("many chunks", chunked(b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n")),
    passed("large chunk", chunked(b"30d40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n")),
    broken("extension without end", chunked(b"5;" + b"a" * 100_000)),
    broken("size without end", chunked(b"0" * 100_000)),
    broken("spaces behind a size without end", chunked(b"5" + b" " * 100_000)),
    broken("trailers without end", chunked(b"0\r\n" + b"X: y\r\n" * 20_000)),
    broken("trailer's name without end", chunked(b"0\r\n" + b"X" * 100_000)),
    broken("trailer's value without end", chunked(b"0\r\nX: " + b"y" * 100_000)),
    broken("extensions of the last chunk without end", chunked(b"0;" + b"a" * 100_000)),
    last("large head in 1.0", request(b"X: " + b"y" * 10_000, version=b"HTTP/1.0")),
]
