# SPDX-License-Identifier: GPL-2.0
"""Requests that two readers could take for different things get no further than the director."""

import contextlib
from collections.abc import Iterator

import pytest
from support.client import Client
from support.director import Director
from support.raw_server import RawServer, echo, wait_until

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def server(director: Director, raw_server) -> Iterator[RawServer]:
    """A service before a server that must never see what is smuggled."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool", timeout_head="10s", timeout_stall="2s")
    yield server
    assert not any(head.startswith(b"GET /smuggled") for head in server.heads)


def post(fields: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST /x " + version + b"\r\nHost: a\r\n" + fields + b"\r\n\r\n" + body


FRAMING = {
    "both": post(b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"0\r\n\r\nG"),
    "both, turned": post(b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"0\r\n\r\n"),
    "both in 1.0": post(b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"abc", b"HTTP/1.0"),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 5"),
    "equal lengths": post(b"Content-Length: 0\r\nContent-Length: 0"),
    "list of lengths": post(b"Content-Length: 0, 0"),
    "length in hex": post(b"Content-Length: 0x10"),
    "negative length": post(b"Content-Length: -1"),
    "length with a sign": post(b"Content-Length: +0"),
    "length with a space": post(b"Content-Length: 1 0"),
    "length with a point": post(b"Content-Length: 1.0"),
    "length of 2^64": post(b"Content-Length: 18446744073709551616"),
    "length of words": post(b"Content-Length: many"),
    "length in another field": post(b"Content-Length: 0\r\ncontent-length: 40", SMUGGLED),
    "coding twice": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "coding listed twice": post(b"Transfer-Encoding: chunked, chunked", b"0\r\n\r\n"),
    "coding before": post(b"Transfer-Encoding: chunked, gzip", b"0\r\n\r\n"),
    "coding with parameter": post(b"Transfer-Encoding: chunked;q=1", b"0\r\n\r\n"),
    "empty coding": post(b"Transfer-Encoding:", SMUGGLED),
    "coding of nothing": post(b"Transfer-Encoding: ,chunked", b"0\r\n\r\n"),
    "coding in quotes": post(b'Transfer-Encoding: "chunked"', b"0\r\n\r\n"),
    "coding behind a tab": post(b"Transfer-Encoding: \x0bchunked", b"0\r\n\r\n"),
    "coding with a colon's space": post(b"Transfer-Encoding : chunked", b"0\r\n\r\n"),
    "coding folded": post(b"Transfer-Encoding:\r\n chunked", b"0\r\n\r\n"),
    "coding in 1.0": post(b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"HTTP/1.0"),
}


@pytest.mark.parametrize("data", FRAMING.values(), ids=FRAMING.keys())
def test_doubtful_framing(client: Client, server: RawServer, data: bytes) -> None:
    """Where the end of a body is in doubt, the answer is an error, and nothing goes on."""
    with client.connect() as connection:
        connection.send(data + SMUGGLED)
        response = connection.response()
        assert response.status in (400, 501)
        assert response.fields["connection"] == "close"
        assert connection.rest() == b""
    assert server.connections == 0


LINES = {
    "bare LF": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF behind a field": b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
    "folded at once": b"GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    "tab before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n",
    "space in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "small letters": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "odd version": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "version without point": b"GET / HTTP/11\r\nHost: a\r\n\r\n",
    "tab between words": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "space first": b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "no method": b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "star for GET": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "list of hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with a user": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "host that is not the target's": b"GET http://b.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "port that is not the target's": b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "host with a bad port": b"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n",
}


@pytest.mark.parametrize("data", LINES.values(), ids=LINES.keys())
def test_malformed_head(client: Client, server: RawServer, data: bytes) -> None:
    """A head that RFC 9112 does not allow is answered 400, and nothing behind it is read."""
    with client.connect() as connection:
        connection.send(data + SMUGGLED)
        response = connection.response()
        assert response.status == 400
        assert response.fields["connection"] == "close"
        assert connection.rest() == b""
    assert server.connections == 0


CHUNKS = {
    "no size": b"\r\n",
    "sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "space first": b" 5\r\nhello\r\n0\r\n\r\n",
    "bare LF behind a size": b"5\nhello\r\n0\r\n\r\n",
    "bare CR behind a size": b"5\rhello\r\n0\r\n\r\n",
    "bare LF behind data": b"5\r\nhello\n0\r\n\r\n",
    "data too long": b"5\r\nhello!\r\n0\r\n\r\n",
    "data too short": b"5\r\nhell\r\n0\r\n\r\n",
    "size of 2^64": b"10000000000000000\r\n",
    "NUL in an extension": b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "LF in an extension": b"5;a\nhello\r\n0\r\n\r\n",
    "framing in a trailer": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "host in a trailer": b"0\r\nHost: b\r\n\r\n",
    "folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
    "bare LF in trailers": b"0\r\nX: a\n\r\n",
    "bare LF at the end": b"0\r\n\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
def test_malformed_chunks(client: Client, server: RawServer, chunks: bytes) -> None:
    """Chunks that go wrong are answered 400; the server's connection ends without their end."""
    with client.connect() as connection:
        connection.send(post(b"Transfer-Encoding: chunked", chunks) + SMUGGLED)
        response = connection.response()
        assert response.status == 400
        assert connection.rest() == b""


def test_long_extensions(client: Client, server: RawServer) -> None:
    """Extensions and trailers without end are refused."""
    for chunks in (b"5;" + b"a" * 100_000, b"0\r\n" + b"X: y\r\n" * 20_000):
        with client.connect() as connection:
            # The refusal may come before all is sent.
            with contextlib.suppress(OSError):
                connection.send(post(b"Transfer-Encoding: chunked", chunks))
            assert connection.response().status == 400


GOOD = {
    "names of any case": post(b"cOnTeNt-lEnGtH: 5", b"hello"),
    "no space": post(b"Content-Length:5", b"hello"),
    "much space": post(b"Content-Length: \t 5 \t", b"hello"),
    "zeros": post(b"Content-Length: 0005", b"hello"),
    "coding of any case": post(b"Transfer-Encoding: ChUnKeD", b"5\r\nhello\r\n0\r\n\r\n"),
    "zeros in a size": post(b"Transfer-Encoding: chunked", b"0005\r\nhello\r\n00\r\n\r\n"),
    "size in capitals": post(b"Transfer-Encoding: chunked", b"A\r\n0123456789\r\n0\r\n\r\n"),
    "quoted extension": post(
        b"Transfer-Encoding: chunked", b'5;a="b;\\"c"\r\nhello\r\n0;z\r\n\r\n'
    ),
    "bytes above 127": post(b"Content-Length: 0\r\nX: \xe4\xff"),
    "empty value": post(b"Content-Length: 0\r\nX:"),
    "absolute target": b"GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute target with a port": b"GET http://a:80/ HTTP/1.1\r\nHost: A\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "host with a port": b"GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n",
    "IPv6 host": b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_unusual_but_right(client: Client, server: RawServer, data: bytes) -> None:
    """What looks odd but is allowed passes, and the next request behind it."""
    with client.connect() as connection:
        connection.send(data + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.response().status == 200
        assert connection.response().body.startswith(b"GET /next ")
    assert len(server.heads) == 2


def test_absolute_target(client: Client, server: RawServer) -> None:
    """The server gets a path, and one field with the host."""
    with client.connect() as connection:
        connection.send(b"GET http://b.example/x?y HTTP/1.1\r\nHost: B.example:80\r\n\r\n")
        assert connection.response().body.startswith(b"GET /x?y HTTP/1.1 ")
    assert server.heads[0].lower().count(b"\r\nhost: b.example") == 1
    assert server.heads[0].lower().count(b"host:") == 1


@pytest.mark.parametrize("size", [1, 5, 40])
def test_smuggling_in_pieces(client: Client, server: RawServer, size: int) -> None:
    """Neither does it help to send a doubtful request in pieces."""
    data = FRAMING["both"] + SMUGGLED
    with client.connect() as connection:
        # It may be refused before all is sent.
        with contextlib.suppress(OSError):
            for at in range(0, len(data), size):
                connection.send(data[at : at + size])
        assert connection.response().status == 400
    assert server.connections == 0


def test_bad_chunks_end_the_server_connection(
    director: Director, client: Client, server: RawServer
) -> None:
    """After a malformed body the server's connection is not used again."""
    with client.connect() as connection:
        connection.send(post(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n"))
        wait_until(lambda: server.heads, what="the server has the head")
        assert connection.send(b"oops\r\n").response().status == 400
    assert client.get().body.startswith(b"GET / HTTP/1.1 #2 ")
    assert server.connections == 2
