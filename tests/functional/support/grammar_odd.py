# SPDX-License-Identifier: GPL-2.0
"""Requests that are known to be read in different ways, and requests with something wrong."""

import random

from support.grammar import LOOKS_LIKE_A_HEAD, Request, RequestMaker

BODY = LOOKS_LIKE_A_HEAD[4:]


def case(
    ident: str,
    line: bytes = b"POST /%s HTTP/1.1",
    fields: bytes = b"",
    sent: bytes = b"",
    body: bytes = b"",
    oddity: str = "",
) -> Request:
    """A request of the table; `line` has its name in it, in the place of the target's %s."""
    first = line.replace(b"%s", ident.encode())
    method, target, _ = first.split(b" ")
    head = first + b"\r\nHost: test\r\nX-Id: " + ident.encode() + b"\r\n" + fields + b"\r\n"
    oddities = frozenset(oddity.split(", ")) - {""}
    return Request(ident, method.decode(), target, body, head + sent, oddities)


def length(body: bytes, before: bytes = b"") -> bytes:
    return before + b"Content-Length: %d\r\n" % len(body)


CHUNKED = b"Transfer-Encoding: chunked\r\n"


def one_chunk(body: bytes, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n0\r\n%s\r\n" % (len(body), extension, body, trailers)


# What the director lets through, each with what is behind it in the stream.
TABLE = [
    case("head-in-a-body", fields=length(BODY), sent=BODY, body=BODY),
    case("head-in-a-chunk", fields=CHUNKED, sent=one_chunk(BODY), body=BODY),
    case("chunks-by-length", fields=length(b"0\r\n\r\n"), sent=b"0\r\n\r\n", body=b"0\r\n\r\n"),
    case("length-of-none", fields=b"Content-Length: 0\r\n"),
    case("length-in-other-fields", fields=b"X-Content-Length: 9\r\nContent-Lengt: 9\r\n",
         oddity="no content"),
    case("length-in-a-value", fields=b"X: Content-Length: 9\r\n", oddity="no content"),
    case("length-behind-a-tab", fields=b"Content-Length:\t3\r\n", sent=b"abc", body=b"abc",
         oddity="tab beside a value"),
    case("length-with-zeros", fields=b"Content-Length: 00000000000000000000000003\r\n",
         sent=b"abc", body=b"abc"),
    case("length-that-is-octal-to-some", fields=b"Content-Length: 010\r\n", sent=b"0123456789",
         body=b"0123456789"),
    case("length-nominated", fields=b"Connection: content-length\r\n" + length(BODY), sent=BODY,
         body=BODY),
    case("coding-nominated", fields=b"Connection: transfer-encoding\r\n" + CHUNKED,
         sent=one_chunk(BODY), body=BODY),
    case("host-nominated", b"GET /%s HTTP/1.1", b"Connection: host, x-dropped\r\nX-Dropped: 1\r\n"),
    case("coding-without-a-space", fields=b"Transfer-Encoding:chunked\r\n", sent=one_chunk(BODY),
         body=BODY),
    case("coding-behind-spaces", fields=b"Transfer-Encoding:    chunked\r\n", sent=one_chunk(BODY),
         body=BODY),
    case("coding-in-capitals", fields=b"TRANSFER-ENCODING: CHUNKED\r\n", sent=one_chunk(BODY),
         body=BODY),
    case("te-is-no-coding", fields=b"TE: chunked\r\n" + length(BODY), sent=BODY, body=BODY),
    case("underscores", fields=b"Transfer_Encoding: chunked\r\nContent_Length: 9\r\n"
         + length(BODY), sent=BODY, body=BODY),
    case("next-line", fields=b"X: a\x85Transfer-Encoding: chunked\r\n" + length(BODY), sent=BODY,
         body=BODY),
    case("line-separator", fields=b"X: a\xe2\x80\xa8Content-Length: 9\r\n" + length(BODY),
         sent=BODY, body=BODY),
    case("extension-in-quotes", fields=CHUNKED, sent=one_chunk(BODY, b';a="b;c"'), body=BODY,
         oddity="odd extension"),
    case("extension-of-digits", fields=CHUNKED, sent=one_chunk(BODY, b";ffff"), body=BODY,
         oddity="odd extension"),
    case("extension-behind-a-space", fields=CHUNKED, sent=one_chunk(BODY, b" ;a"), body=BODY,
         oddity="odd extension"),
    case("trailers", fields=CHUNKED, sent=one_chunk(BODY, trailers=b"X: y\r\nX-Length: 5\r\n"),
         body=BODY),
    case("chunk-of-many-zeros", fields=CHUNKED,
         sent=b"0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n", body=b"abc"),
    case("capital-digits", fields=CHUNKED, sent=b"00A\r\n0123456789\r\n0\r\n\r\n",
         body=b"0123456789"),
    case("body-of-get", b"GET /%s HTTP/1.1", length(BODY), BODY, BODY, "content of GET"),
    case("chunks-of-get", b"GET /%s HTTP/1.1", CHUNKED, one_chunk(BODY), BODY, "content of GET"),
    case("body-of-head", b"HEAD /%s HTTP/1.1", length(BODY), BODY, BODY, "content of HEAD"),
    case("body-of-delete", b"DELETE /%s HTTP/1.1", length(BODY), BODY, BODY),
    case("body-of-options", b"OPTIONS /%s HTTP/1.1", length(BODY), BODY, BODY),
    case("method-that-is-longer", b"GETS /%s HTTP/1.1", length(BODY), BODY, BODY, "unusual method"),
    case("method-in-small-letters", b"head /%s HTTP/1.1", length(BODY), BODY, BODY,
         "unusual method, content of HEAD"),
    case("target-with-a-version", b"GET /%s?HTTP/1.0 HTTP/1.1"),
    case("target-of-dots", b"GET /../%s/.. HTTP/1.1", oddity="odd target"),
    case("upgrade-to-nothing", b"GET /%s HTTP/1.1", b"Upgrade: x\r\nConnection: upgrade\r\n",
         oddity="upgrade"),
    case("upgrade-with-a-body", fields=b"Upgrade: x\r\nConnection: upgrade\r\n" + length(BODY),
         sent=BODY, body=BODY, oddity="upgrade"),
    case("prefixed-names", b"GET /%s HTTP/1.1", b"Transfer-Encodin: chunked\r\nHos: x\r\n"),
    case("longer-names", b"GET /%s HTTP/1.1", b"Transfer-Encodings: 0\r\nContent-Lengths: 9\r\n",
         oddity="longer name"),
]  # fmt: skip

# What may make two readers of a message differ.
BYTES = [bytes([n]) for n in b"\r\n\t\0\x0b\x0c\x1c\x85\xa0\xff :;,\"'=\\_-+.#0159aAfxZ"]
WORDS = [
    b"\r\n", b"\n", b"\r", b"\r\n ", b"\r\n\t", b"\r\n\r\n", b"chunked", b"identity", b", ", b"0x",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n", b"transfer-encoding : chunked\r\n", b"Host: other\r\n",
    b"Connection: close\r\n", b"Connection: content-length\r\n", b"HTTP/1.0", b" HTTP/1.1",
    b"0\r\n", b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", LOOKS_LIKE_A_HEAD,
]  # fmt: skip


def mutated(chance: random.Random, data: bytes) -> bytes:
    """The data with a few things wrong, mostly in the head or where chunks begin."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        end = data.find(b"\r\n\r\n") + 4
        most = min(len(data), end + 12) if chance.random() < 0.9 else len(data)
        at = chance.randrange(most + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:at] + chance.choice(BYTES) + data[at:]
        elif kind == 1:
            data = data[:at] + chance.choice(BYTES) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + data[at + chance.choice([1, 1, 2, 5]) :]
        elif kind == 3:
            lines = data.split(b"\r\n")
            lines.insert(chance.randrange(1, 6), chance.choice(WORDS[:-1]).removesuffix(b"\r\n"))
            data = b"\r\n".join(lines)
        else:
            data = data[:at] + chance.choice(WORDS) + data[at:]
    return data


def wrong_requests(chance: random.Random, number: int) -> list[bytes]:
    """What clients send by mistake or design: some of it is valid all the same."""
    maker = RequestMaker(chance)
    made: list[bytes] = []
    while len(made) < number:
        request = maker.request(f"w{len(made)}")
        # What an answer to HEAD is cannot be told from bytes.
        usual = request.method not in ("HEAD", "TRACE") and len(request.data) < 2000
        if usual and "Expect" not in request.oddities and not request.ends_client:
            made.append(mutated(chance, request.data))
    return made
