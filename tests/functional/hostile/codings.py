# SPDX-License-Identifier: GPL-2.0
"""Transfer codings, and what is meant to look like them: RFC 9112 §6.1, §6.3, §7."""

from hostile.case import (
    NEXT,
    SMUGGLED,
    Case,
    chunked,
    escaped,
    last,
    passed,
    post,
    refused,
    request,
)

# A body that ends at once for who reads chunks.
NOTHING = b"0\r\n\r\n"

# Where chunked is not the last coding, or not the only time, nobody knows where the body ends: 400
# (RFC 9112 §6.3, rule 4). So it is where the value is no list of codings at all (TE.TE).
BAD_VALUES = [
    b"",
    b" ",
    b",",
    b";",
    b"x",
    b"cow",
    b"xchunked",
    b"x-chunked",
    b"chunkedx",
    b"chunked-x",
    b"chunke",
    b"chunkedd",
    b"hunked",
    b"chunk",
    b"chunked1",
    b"chunled",
    b"identity",
    b"IDENTITY",
    b"gzip",
    b"compress",
    b"deflate",
    b"trailers",
    b"chunked, identity",
    b"chunked,identity",
    b"chunked, gzip",
    b"chunked , x",
    b"chunked, chunked",
    b"chunked,chunked",
    b"chunked, gzip, chunked",
    b"chunked,",
    b"chunked, ",
    b",chunked",
    b" , chunked",
    b", ,chunked",
    b"chunked,,",
    b"gzip,, chunked",
    b"chunked;",
    b"chunked; ",
    b"chunked;q=0",
    b"chunked;q=0.5",
    b"chunked ;a=b",
    b'chunked;a="b"',
    b";chunked",
    b"a=chunked",
    b"chunked=1",
    b"chunked chunked",
    b"chunked\tchunked",
    b"chunked identity",
    b"gzip chunked",
    b'"chunked"',
    b"'chunked'",
    b"`chunked`",
    b"(chunked)",
    b"[chunked]",
    b"<chunked>",
    b"{chunked}",
    b"chunked()",
    b"chunked(a)",
    b"chunked/1",
    b"chunked:",
    b": chunked",
    b"chun\\ked",
    b"\\chunked",
    b"chunk%65d",
    b"%63hunked",
    b"=?utf-8?q?chunked?=",
    # White space that is none here, and other control bytes.
    b"\x0bchunked",
    b"chunked\x0b",
    b"\x0cchunked",
    b"chunked\x0c",
    b"\x00chunked",
    b"chunked\x00",
    b"chun\x00ked",
    b"\x01chunked",
    b"chunked\x1f",
    b"\x7fchunked",
    b"\x08chunked",
    b"\x1b[0mchunked",
    # Spaces and marks of other character sets, and letters that fold to ours.
    b"\xa0chunked",
    b"chunked\xa0",
    b"\x85chunked",
    b"chunked\xff",
    b"\xef\xbb\xbfchunked",
    b"chun\xe2\x84\xaaed",
    b"chu\xadnked",
    b"\xe2\x80\x8bchunked",
    # Line ends that only some readers know.
    b"chunked\r",
    b"\rchunked",
    b"chunked\n",
    b"\nchunked",
    b"chunked\r\r",
    b"chu\rnked",
    b"chu\nnked",
    b"chunked\nX: y",
    b"chunked\rX: y",
    # Folds (RFC 9112 §5.2).
    b"\r\n chunked",
    b"\r\n\tchunked",
    b"chunked\r\n ",
    b"chunked\r\n , identity",
    b"chu\r\n nked",
    b"gzip,\r\n chunked",
    b"identity\n chunked",
]

# Well formed, but not understood: 501 (RFC 9112 §6.1).
UNKNOWN = [
    b"gzip, chunked",
    b"gzip,chunked",
    b"gzip\t,\tchunked",
    b"identity, chunked",
    b"x, chunked",
    b"gzip;q=1, chunked",
    b"compress, deflate, chunked",
    b"GZIP, CHUNKED",
]

# Allowed, whatever the case and the white space around it.
GOOD = [b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b"\tchunked\t", b"   chunked   "]

# Lines that some readers take for the coding and others do not.
DISGUISED = {
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab before the colon": b"Transfer-Encoding\t: chunked",
    "spaces before the colon": b"Transfer-Encoding  : chunked",
    "VT before the colon": b"Transfer-Encoding\x0b: chunked",
    "FF before the colon": b"Transfer-Encoding\x0c: chunked",
    "NUL before the colon": b"Transfer-Encoding\x00: chunked",
    "NBSP before the colon": b"Transfer-Encoding\xa0: chunked",
    "CR before the colon": b"Transfer-Encoding\r: chunked",
    "LF before the colon": b"Transfer-Encoding\n: chunked",
    "CR LF before the colon": b"Transfer-Encoding\r\n: chunked",
    "fold before the colon": b"Transfer-Encoding\r\n : chunked",
    "space first": b" Transfer-Encoding: chunked",
    "tab first": b"\tTransfer-Encoding: chunked",
    "space behind another line": b"X: y\r\n Transfer-Encoding: chunked",
    "NUL first": b"\x00Transfer-Encoding: chunked",
    "NBSP first": b"\xa0Transfer-Encoding: chunked",
    "NUL inside": b"Transfer\x00-Encoding: chunked",
    "space for the hyphen": b"Transfer Encoding: chunked",
    "fold for the hyphen": b"Transfer-\r\n Encoding: chunked",
    "soft hyphen": b"Transfer\xadEncoding: chunked",
    "dotless i": b"Transfer-Encod\xc4\xb1ng: chunked",
    "quoted": b'"Transfer-Encoding": chunked',
    "no colon": b"Transfer-Encoding chunked",
    "equals for the colon": b"Transfer-Encoding=chunked",
    "colon of another script": b"Transfer-Encoding\xef\xbc\x9a chunked",
    "behind bare CR": b"X: y\rTransfer-Encoding: chunked",
    "behind bare LF": b"X: y\nTransfer-Encoding: chunked",
    "behind CR CR LF": b"X: y\r\r\nTransfer-Encoding: chunked",
    "behind LF CR": b"X: y\n\rTransfer-Encoding: chunked",
    "behind NUL": b"X: y\x00\r\nTransfer-Encoding: chunked",
    "behind VT": b"X: y\x0bTransfer-Encoding: chunked\x0b",
    "behind an empty line of LF": b"X: y\r\n\nTransfer-Encoding: chunked",
    "behind an empty line of CR": b"X: y\r\n\rTransfer-Encoding: chunked",
}

REPEATED = {
    "equal": [b"Transfer-Encoding: chunked"] * 2,
    "three": [b"Transfer-Encoding: chunked"] * 3,
    "identity first": [b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"],
    "identity last": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
    "unknown last": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: cow"],
    "unknown first": [b"Transfer-Encoding: cow", b"Transfer-Encoding: chunked"],
    "empty first": [b"Transfer-Encoding:", b"Transfer-Encoding: chunked"],
    "empty last": [b"Transfer-Encoding: chunked", b"Transfer-Encoding:"],
    "two cases": [b"transfer-encoding: chunked", b"TRANSFER-ENCODING: x"],
    "apart": [b"Transfer-Encoding: chunked", b"X: y", b"Transfer-Encoding: gzip"],
    "one with a space": [b"Transfer-Encoding: chunked", b"Transfer-Encoding : x"],
}

# Names that are not its name: what stands behind the head is no body but the next request.
LOOKALIKES = [
    b"Transfer_Encoding",
    b"Transfer-Encodin",
    b"Transfer-Encodings",
    b"Transfer-Encoding-",
    b"Transfer--Encoding",
    b"TransferEncoding",
    b"Transfer.Encoding",
    b"Transfer`Encoding",
    b"X-Transfer-Encoding",
    b"Transfer-Encoding'",
    b"Content-Transfer-Encoding",
    b"Content-Encoding",
    b"Transfer-Enc0ding",
    b"Transfer-Encodinf",
    b"Accept-Transfer-Encoding",
]

HELLO = b"5\r\nhello\r\n0\r\n\r\n"

CASES = [
    *(
        refused(f"coding {escaped(value)}", post(b"Transfer-Encoding: " + value) + NOTHING)
        for value in BAD_VALUES
    ),
    *(
        refused(f"coding {escaped(value)}", post(b"Transfer-Encoding: " + value) + NOTHING, 501)
        for value in UNKNOWN
    ),
    *(
        passed(
            f"coding {escaped(value)}",
            post(b"Transfer-Encoding: " + value, body=HELLO),
            # Others take white space for a part of it.
            post(b"Transfer-Encoding: " + value.strip(), body=HELLO),
        )
        for value in GOOD
    ),
    *(refused(f"coding: {id}", post(line) + NOTHING) for id, line in DISGUISED.items()),
    # With a length beside it that is right for who does not see the coding.
    *(
        refused(f"coding beside a length: {id}", post(b"Content-Length: 5", line) + NOTHING)
        for id, line in DISGUISED.items()
    ),
    *(refused(f"codings: {id}", post(*lines) + NOTHING) for id, lines in REPEATED.items()),
    *(passed(f"no coding: {escaped(n)}", post(n + b": chunked")) for n in LOOKALIKES),
    *(
        passed(
            f"length beside {escaped(n)}",
            post(b"Content-Length: 5", n + b": chunked", body=NOTHING),
        )
        for n in LOOKALIKES[:4]
    ),
    passed("coding behind no space", post(b"Transfer-Encoding:chunked", body=HELLO)),
    passed("coding in small letters", post(b"transfer-encoding: chunked", body=HELLO)),
    passed("coding in capitals", post(b"TRANSFER-ENCODING: CHUNKED", body=HELLO)),
    passed("coding of GET", request(b"Transfer-Encoding: chunked", body=HELLO)),
    passed(
        "coding of an unknown method",
        request(b"Transfer-Encoding: chunked", body=HELLO, method=b"BREW"),
    ),
    passed(
        "coding named by Connection",
        post(b"Connection: transfer-encoding", b"Transfer-Encoding: chunked", body=HELLO),
        chunked(HELLO),
    ),
    last(
        "coding, and Connection: close",
        post(b"Connection: close", b"Transfer-Encoding: chunked", body=HELLO),
        chunked(HELLO),
    ),
    # TE.CL: the first chunk is a request for who reads the length.
    refused(
        "TE.CL",
        post(
            b"Content-Length: 4",
            b"Transfer-Encoding: chunked",
            body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
        ),
    ),
    # CL.TE: what is behind the last chunk is one for who reads chunks.
    refused(
        "CL.TE",
        post(
            b"Content-Length: %d" % (5 + len(SMUGGLED)), b"Transfer-Encoding: chunked", body=NOTHING
        ),
    ),
    passed("request in a chunk", chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED))),
    # RFC 9112 §6.1: HTTP/1.0 has no codings.
    refused("coding in 1.0", post(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + NOTHING),
    refused(
        "coding in 1.0 that is kept",
        post(b"Connection: keep-alive", b"Transfer-Encoding: chunked", version=b"HTTP/1.0")
        + NOTHING,
    ),
    refused(
        "coding and length in 1.0",
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + NOTHING,
    ),
    refused(
        "coding of GET in 1.0",
        request(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + NOTHING,
    ),
    # TE says what a client can read, not how it sends.
    Case(
        "TE is no coding", (post(b"TE: chunked") + NEXT,), (200, 200), (post(), NEXT), closes=False
    ),
]
