# SPDX-License-Identifier: GPL-2.0
"""Request lines: methods, versions, white space, line ends, and what is no HTTP at all.

RFC 9112 §2.2, §2.3, §3; RFC 9110 §2.5, §9.1.
"""

from hostile.case import NEXT, SMUGGLED, Case, escaped, last, passed, refused, request

HOST = b"\r\nHost: a\r\n\r\n"

# Tokens, all of them: case matters, so that `head` is not HEAD.
GOOD_METHODS = [
    b"get",
    b"Get",
    b"head",
    b"post",
    b"PATCH",
    b"PROPFIND",
    b"M-SEARCH",
    b"BREW",
    b"QUERY",
    b"TRACE",
    b"PRI",
    b"0",
    b"_",
    b"-",
    b"GET2",
    b"GETT",
    b"XGET",
    b"GET'",
    b"!#$%&'*+-.^_`|~",
    b"A" * 32,
]

BAD_METHODS = [
    b"",
    b"G ET",
    b"GE\tT",
    b"GET\x0b",
    b"G\x00T",
    b"\x00GET",
    b"GET\x00",
    b"\x7fGET",
    b" GET",
    b"  GET",
    b"\tGET",
    b"\x0bGET",
    b"\xa0GET",
    b"\xef\xbb\xbfGET",
    b"G\xc9T",
    b"\xef\xbc\xa7ET",
    b"G(T",
    b"G:T",
    b"GET:",
    b"G,T",
    b"G/T",
    b"G@T",
    b"G=T",
    b'"GET"',
    b"[GET]",
    b"{GET}",
    b"<GET>",
    b"G\\T",
    b"HTTP/1.1",
    b"\r",
    b"\n",
    b"\rGET",
    b"\nGET",
    b"\n\nGET",
    b"\r\rGET",
    b"G\rET",
    b"G\nET",
    b"GET\r",
    b"GET\n",
]

# HTTP/DIGIT.DIGIT, but none that is spoken here: 505. RFC 9110 §2.5 would have HTTP/1.2 read as
# 1.1; nothing sends it but who tries what it does.
OTHER_VERSIONS = [
    b"HTTP/0.0",
    b"HTTP/0.1",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/1.3",
    b"HTTP/1.9",
    b"HTTP/2.0",
    b"HTTP/2.1",
    b"HTTP/3.0",
    b"HTTP/9.9",
]

BAD_VERSIONS = [
    b"",
    b"1.1",
    b"/1.1",
    b"HTTP",
    b"HTTP/",
    b"HTTP/1",
    b"HTTP/2",
    b"HTTP/1.",
    b"HTTP/.1",
    b"HTTP/11",
    b"HTTP/1.10",
    b"HTTP/1.01",
    b"HTTP/1.11",
    b"HTTP/01.1",
    b"HTTP/10.1",
    b"HTTP/1.1.1",
    b"HTTP/1,1",
    b"HTTP/1-1",
    b"HTTP/1_1",
    b"HTTP/1:1",
    b"HTTP/1 .1",
    b"HTTP/1. 1",
    b"HTTP /1.1",
    b"HTTP/ 1.1",
    b"HTTP//1.1",
    b"HTTP\\1.1",
    b"HTTP1.1",
    b"HTTP-1.1",
    b"http/1.1",
    b"Http/1.1",
    b"hTTP/1.1",
    b"HTTP/1.1x",
    b"HTTP/1.1;",
    b"HTTP/1.1,",
    b"HTTP/+1.1",
    b"HTTP/-1.1",
    b"HTTP/1.-1",
    b"HTTP/1.x",
    b"HTTP/x.1",
    b"HTTP/1.\xb9",
    b"HTTP/1.\xd9\xa1",
    b"HTTP/\xef\xbc\x91.1",
    b"HTTP/1.1\x00",
    b"HTTP/1.\x001",
    b"HTTP/1\x00.1",
    b"HTTP/1.1\x0b",
    b"HTTP/1.1\x7f",
    b"HTTP/1.1\xa0",
    b"HTP/1.1",
    b"HTTPS/1.1",
    b"XHTTP/1.1",
    b"SHTTP/1.1",
    b"HTTPHTTP/1.1",
    b"RTSP/1.0",
    b"SIP/2.0",
    b"ICY/1.1",
    b"FTP/1.1",
    b'"HTTP/1.1"',
    # White space behind it, and line ends that only some readers know.
    b"HTTP/1.1 ",
    b"HTTP/1.1\t",
    b"HTTP/1.1  ",
    b"HTTP/1.1 HTTP/1.1",
    b"HTTP/1.0 HTTP/1.1",
    b"HTTP/1.1\r",
    b"HTTP/1.1\n",
    b"HTTP/1.1\n\r",
    b"HTTP/1.1\nX: y",
    b"HTTP/1.1\rX: y",
    b"HTTP/1.1\r\n ",
    b"HTTP/1.1\r\n X: y",
    b"HTTP/1.1\r\n\tX: y",
    b"HTTP/1.\n1",
    b"\nHTTP/1.1",
    b"\rHTTP/1.1",
    b"\r\nHTTP/1.1",
]

# What may be between the words besides one space, which readers that split at white space take
# for it (RFC 9112 §3).
BAD_SPACES = [
    b"",
    b"  ",
    b"\t",
    b" \t",
    b"\t ",
    b"\x0b",
    b"\x0c",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n ",
    b"\x00",
    b" \x00",
    b"\x1c",
    b"\x85",
    b"\xa0",
    b"\xe2\x80\xa8",
]

# What other protocols begin with.
OTHERS = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "SSLv2": b"\x80\x2e\x01\x03\x01\x00\x15",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "SMTP": b"EHLO a.example\r\n",
    "FTP": b"USER anonymous\r\n",
    "PROXY 1": b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
    "PROXY 2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
    "memcached": b"stats\r\n",
    "Redis": b"*1\r\n$4\r\nPING\r\n",
    "Redis by hand": b"FLUSHALL\r\n",
    "FastCGI": b"\x01\x01\x00\x01\x00\x08\x00\x00",
    "AJP": b"\x124\x00\x01\x0a",
    "uWSGI": b"\x00\x3c\x00\x00",
    "SCGI": b"70:CONTENT_LENGTH\x0027\x00",
    "RDP": b"\x03\x00\x00\x13\x0e\xe0",
    "SOCKS 5": b"\x05\x01\x00",
    "a response": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "JSON": b'{"method": "GET"}\r\n\r\n',
    "zeros": b"\0" * 64,
    "ones": b"\xff" * 64,
    "spaces": b" " * 64,
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/0.9 with LF": b"GET /\n",
    "HTTP/0.9 with an end": b"GET /\r\n\r\n",
    "HTTP/0.9 with a space": b"GET / \r\n\r\n",
    "a method alone": b"GET\r\n\r\n",
    "a method and a space": b"GET \r\n\r\n",
    "a field alone": b"Host: a\r\n\r\n",
}

GOOD = b"GET /case HTTP/1.1" + HOST

CASES = [
    *(passed(f"method {escaped(m)}", request(method=m)) for m in GOOD_METHODS),
    *(refused(f"method {escaped(m)}", m + b" / HTTP/1.1" + HOST) for m in BAD_METHODS),
    # RFC 9112 §3: longer than any that is known.
    refused("method of 33 bytes", request(method=b"A" * 33), 501),
    refused("method of 5000 bytes", request(method=b"A" * 5000), 501),
    refused("method of 100000 bytes", request(method=b"A" * 100_000), 501),
    Case(
        "HEAD, then GET",
        (request(method=b"HEAD"),),
        (200,),
        (request(method=b"HEAD"),),
        closes=False,
        head_only=True,
    ),
    *(refused(f"version {escaped(v)}", request(version=v), 505) for v in OTHER_VERSIONS),
    *(refused(f"version {escaped(v)}", request(version=v)) for v in BAD_VERSIONS),
    # RFC 9113 §3.4: whoever reads a request in it can be led to believe that the next protocol
    # begins.
    refused("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused(
        "preface of HTTP/2, and frames", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505
    ),
    refused("preface of HTTP/2 in 1.1", b"PRI * HTTP/1.1" + HOST),
    *(
        refused(f"{escaped(s)} behind the method", b"GET%s/case HTTP/1.1%s" % (s, HOST))
        for s in BAD_SPACES
    ),
    *(
        refused(f"{escaped(s)} before the version", b"GET /case%sHTTP/1.1%s" % (s, HOST))
        for s in BAD_SPACES
    ),
    *(refused(f"protocol: {id}", data) for id, data in OTHERS.items()),
    *(
        refused(f"{escaped(end)} for a line's end", b"GET / HTTP/1.1%sHost: a\r\n\r\n" % end)
        for end in (
            b"\n",
            b"\r",
            b"\r\r\n",
            b"\n\r",
            b"\n\n",
            b"\n\r\n",
            b"\0\r\n",
            b"\r\0\n",
            b" \n",
        )
    ),
    *(
        refused(f"{escaped(end)} for a head's end", b"GET / HTTP/1.1\r\nHost: a" + end)
        for end in (
            b"\n\n",
            b"\r\r",
            b"\n\r\n",
            b"\r\n\n",
            b"\r\r\n\r\n",
            b"\r\n\r\r\n",
            b"\n\r\n\r",
            b"\r\n\0\r\n",
            b"\r\n \r\n",
            b"\r\n\t\r\n",
            b"\r\n\x0b\r\n",
        )
    ),
    # RFC 9112 §2.2: empty lines before a request are passed over, a few of them.
    *(passed(f"{count} empty lines first", b"\r\n" * count + GOOD, GOOD) for count in (1, 2, 3, 4)),
    refused("5 empty lines first", b"\r\n" * 5 + GOOD),
    refused("100 empty lines first", b"\r\n" * 100 + GOOD),
    refused("a line of a space first", b" \r\n" + GOOD),
    refused("an empty line of LF first", b"\n" + GOOD),
    refused("an empty line, then LF first", b"\r\n\n" + GOOD),
    refused("an empty line of CR first", b"\r" + GOOD),
    refused("an empty line, then a space first", b"\r\n " + GOOD),
    # RFC 9112 §8, and the guide: a head that is left half sent is answered.
    *(
        Case(f"cut behind {escaped(data)}", (data,), (400,), ends=True)
        for data in (
            b"G",
            b"GET",
            b"GET ",
            b"GET /",
            b"GET / ",
            b"GET / HTTP/1.1",
            b"GET / HTTP/1.1\r",
            b"GET / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nHost: a",
            b"GET / HTTP/1.1\r\nHost: a\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r",
        )
    ),
    # Nothing was asked, and so there is nothing to answer.
    *(
        Case(f"end behind {escaped(data)}", (data,) if data else (), (), ends=True)
        for data in (b"", b"\r", b"\r\n", b"\r\n\r\n")
    ),
    # RFC 9112 §9.3: HTTP/1.0 ends its connection unless it says otherwise.
    last("HTTP/1.0", request(version=b"HTTP/1.0")),
    last("HTTP/1.0 without a host", request(version=b"HTTP/1.0", host=None)),
    Case(
        "HTTP/1.0 that goes on",
        (request(b"Connection: keep-alive", version=b"HTTP/1.0") + NEXT,),
        (200, 200),
        (request(b"Connection: keep-alive", version=b"HTTP/1.0"), NEXT),
        closes=False,
    ),
    last(
        "HTTP/1.0 that goes on and closes",
        request(b"Connection: keep-alive, close", version=b"HTTP/1.0"),
        request(version=b"HTTP/1.0"),
    ),
    last(
        "HTTP/1.0 with Proxy-Connection",
        request(b"Proxy-Connection: keep-alive", version=b"HTTP/1.0"),
        request(version=b"HTTP/1.0"),
    ),
    Case("bytes one by one", tuple(bytes([byte]) for byte in GOOD), (200,), (GOOD,), closes=False),
    Case(
        "end of a head in two segments",
        (GOOD[:-1], b"\n" + SMUGGLED.replace(b"smuggled", b"next")),
        (200, 200),
        (GOOD, NEXT),
        closes=False,
    ),
]
