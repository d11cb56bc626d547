# SPDX-License-Identifier: GPL-2.0
"""The responses that the director makes itself, each in full, and when time is up."""

import socket
import time

import pytest
from support.client import Client, Connection, Response
from support.director import Director
from support.raw_server import Peer, RawServer, echo, wait_until
from support.topology import server_address

REASON = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}


def head(line: str = "GET / HTTP/1.1", fields: str = "Host: a\r\n") -> bytes:
    return f"{line}\r\n{fields}\r\n".encode()


def assert_refused(connection: Connection, status: int) -> Response:
    """The whole of a refusal: its head and page, and then the end of the connection."""
    response = connection.response()
    assert response.status == status
    assert response.raw_head.startswith(f"HTTP/1.1 {status} {REASON[status]}\r\n".encode())
    assert response.fields["connection"] == "close"
    assert response.fields["content-type"] == "text/html"
    assert int(response.fields["content-length"]) == len(response.body) > 0
    assert f"{status} {REASON[status]}".encode() in response.body
    assert connection.rest() == b""
    return response


@pytest.fixture
def server(director: Director, raw_server) -> RawServer:
    """A service with low limits and little patience, before a server that is to see nothing."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(
        pool="pool",
        timeout_head="1s",
        head_max="2000",
        target_max="500",
        headers_max="10",
        body_max="1000",
    )
    return server


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head(fields=""), 400),
        (head()[:-5], 408),
        (head("POST / HTTP/1.1", "Host: a\r\nContent-Length: 1001\r\n"), 413),
        (head(f"GET /{'a' * 500} HTTP/1.1"), 414),
        (head(fields="Host: a\r\nX: " + "a" * 2000 + "\r\n"), 431),
        (head(fields="Host: a\r\n" + "X: y\r\n" * 10), 431),
        (head("CONNECT a:443 HTTP/1.1", "Host: a:443\r\n"), 501),
        (head("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"), 501),
        (head("GET / HTTP/3.0"), 505),
    ],
    ids=["400", "408", "413", "414", "431 long", "431 many", "501 method", "501 coding", "505"],
)
def test_form(client: Client, server: RawServer, request_bytes: bytes, status: int) -> None:
    """Each refusal of a request is a whole response that says why; its server sees nothing."""
    with client.connect() as connection:
        assert_refused(connection.send(request_bytes), status)
    assert server.heads == []
    assert server.connections == 0


def test_form_of_502(director: Director, client: Client, raw_server) -> None:
    """No valid answer from the server."""
    director.pool("pool", raw_server(lambda peer: peer.head() and peer.send(b"?\r\n\r\n")).address)
    director.service(pool="pool")
    with client.connect() as connection:
        assert_refused(connection.get(), 502)


def test_form_of_503(director: Director, client: Client) -> None:
    """No server at all, one that is drained, one that nobody listens at: 503 each."""
    director.pool("pool")
    director.service(pool="pool")
    for servers in ([], ["10.0.2.11:80", "--weight", "0"], ["10.0.2.12:9"]):
        if servers:
            director.tcpvsadm("server", "add", "pool", *servers)
        with client.connect() as connection:
            response = assert_refused(connection.get(), 503)
        assert int(response.fields["retry-after"]) > 0


def test_form_of_504(director: Director, client: Client, raw_server) -> None:
    """No answer in time; the server's connection ends too."""
    ended: list[bool] = []

    def script(peer: Peer) -> None:
        peer.head()
        try:
            ended.append(peer.connection.recv(1) == b"")
        except ConnectionResetError:
            ended.append(True)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool", timeout_response="500ms")
    with client.connect() as connection:
        start = time.monotonic()
        assert_refused(connection.get(), 504)
        assert 0.4 < time.monotonic() - start < 5
    wait_until(lambda: ended == [True], what="the server sees the end")


@pytest.mark.parametrize("status", [400, 503])
def test_refusal_of_head(director: Director, client: Client, status: int) -> None:
    """A refusal of HEAD ends with its head. Where a head could not be read, its method could."""
    director.pool("pool")
    director.service(pool="pool")
    fields = "Host: a\r\n" if status == 503 else ""
    with client.connect() as connection:
        connection.send(head("HEAD / HTTP/1.1", fields))
        assert connection.response(head_only=True).status == status
        # The method of a head that is wrong may be unknown to the director.
        rest = connection.rest()
        assert rest == b"" or status == 400


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head(f"GET /{'a' * 499} HTTP/1.1"), 200),
        (head(fields="Host: a\r\n" + "X: y\r\n" * 9), 200),
        (head("POST / HTTP/1.1", "Host: a\r\nContent-Length: 1000\r\n") + b"x" * 1000, 200),
        (head(fields="Host: a\r\nX: " + "a" * (2000 - 32) + "\r\n"), 200),
    ],
    ids=["target", "fields", "body", "head"],
)
def test_at_the_limit(client: Client, server: RawServer, request_bytes: bytes, status: int) -> None:
    """What just keeps to a limit passes."""
    assert client.raw(request_bytes).status == status
    assert len(server.heads) == 1


@pytest.mark.parametrize("size", [1000, 1001])
def test_limit_of_chunks(client: Client, server: RawServer, size: int) -> None:
    """The limit of a body counts what is in its chunks, as soon as too much is announced."""
    chunks = b"".join(b"1\r\nx\r\n" for _ in range(size)) + b"0\r\n\r\n"
    request = head("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n")
    with client.connect() as connection:
        connection.send(request + chunks)
        assert connection.response().status == (200 if size == 1000 else 413)


def connections_active(director: Director) -> int:
    return director.show("services")["services"][0]["stats"]["connections_active"]


def test_a_client_that_goes_on_sending(director: Director, client: Client, raw_server) -> None:
    """A client that is refused in the middle of a long upload, and goes on with it for a while,
    still finds the answer, and no reset."""
    director.pool("pool", raw_server(echo).address)
    director.service(pool="pool", body_max="1000")
    with client.connect() as connection:
        connection.send(head("PUT / HTTP/1.1", "Host: a\r\nContent-Length: 1000000\r\n"))
        began = time.monotonic()
        while time.monotonic() - began < 5:
            connection.send(b"x" * 1000)
            time.sleep(0.1)
        assert connection.response().status == 413
        assert connection.rest() == b""
        # Nobody waits for long for one that sends nothing any more.
        wait_until(lambda: not connections_active(director), 6)


def test_trickled_head(client: Client, server: RawServer) -> None:
    """A byte now and then does not prolong the time for a head."""
    request = head(fields="Host: a\r\nX: " + "y" * 500 + "\r\n")
    with client.connect() as connection:
        start = time.monotonic()
        connection.socket.settimeout(0.05)
        answer = b""
        for byte in request:
            connection.send(bytes([byte]))
            try:
                answer = connection.socket.recv(65536)
                break
            except TimeoutError:
                assert time.monotonic() - start < 8, "the head's time is never up"
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start > 0.8
    assert server.heads == []


def test_head_time_of_a_later_request(client: Client, server: RawServer) -> None:
    """The second request's head has its own time, which begins with its first byte."""
    with client.connect() as connection:
        assert connection.get().response().status == 200
        time.sleep(2)
        start = time.monotonic()
        connection.send(b"G")
        assert_refused(connection, 408)
        assert 0.8 < time.monotonic() - start < 5


def test_stalled_body(director: Director, client: Client, raw_server) -> None:
    """A body that does not come on: 408, and the server does not take it for whole."""
    bodies: list[bytes] = []

    def script(peer: Peer) -> None:
        request = peer.head() or b""
        try:
            bodies.append(peer.body(request))
        except ConnectionResetError:
            bodies.append(b"")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool", timeout_stall="500ms")
    with client.connect() as connection:
        connection.send(head("POST / HTTP/1.1", "Host: a\r\nContent-Length: 10\r\n") + b"12345")
        assert_refused(connection, 408)
    wait_until(lambda: bodies, what="the server sees the end")
    assert len(bodies[0]) < 10


def test_stalled_response(director: Director, client: Client, raw_server) -> None:
    """A response that does not come on is cut, and does not look whole."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        peer.connection.recv(1)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool", timeout_stall="500ms")
    with client.connect() as connection:
        start = time.monotonic()
        assert connection.get().is_cut()
        assert 0.4 < time.monotonic() - start < 5


def test_slow_but_steady(director: Director, client: Client, raw_server) -> None:
    """A response that takes long, but never stands still for long, is not cut."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n")
        for byte in b"slow but steady":
            time.sleep(0.2)
            peer.send(bytes([byte]))

    director.pool("pool", raw_server(script).address)
    director.service(
        pool="pool",
        timeout_head="1s",
        timeout_idle="1s",
        timeout_connect="1s",
        timeout_response="1500ms",
        timeout_stall="1500ms",
    )
    assert client.get().body == b"slow but steady"


def test_connect_time(director: Director, client: Client) -> None:
    """A server that does not take connections: 504 after the time for connecting."""
    director.pool("pool", "10.0.2.99:80")
    director.service(pool="pool", timeout_connect="500ms")
    with client.connect() as connection:
        start = time.monotonic()
        connection.get()
        response = connection.response()
        assert response.status in (503, 504)
        assert 0.4 < time.monotonic() - start < 8


def test_idle_connection_says_nothing(client: Client, director: Director, server) -> None:
    """An idle connection ends without a word, orderly, and in time."""
    director.tcpvsadm("service", "set", "web", "--timeout-idle", "500ms")
    for requests in (0, 1):
        with client.connect() as connection:
            for _ in range(requests):
                assert connection.get().response().status == 200
            start = time.monotonic()
            assert connection.rest() == b""
            assert 0.3 < time.monotonic() - start < 5


def test_client_that_is_gone(director: Director, client: Client, raw_server) -> None:
    """A client that resets while it waits for its response ends the server's connection."""
    asked: list[bool] = []
    ended: list[bool] = []

    def script(peer: Peer) -> None:
        asked.append(peer.head() is not None)
        try:
            ended.append(peer.connection.recv(1) == b"")
        except ConnectionResetError:
            ended.append(True)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    connection = client.connect().get()
    wait_until(lambda: asked, what="the server has the request")
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    wait_until(lambda: ended == [True], what="the server sees the end")


def test_refusals_are_counted(director: Director, client: Client, server: RawServer) -> None:
    """What the director had to answer itself is in the service's errors."""

    def errors() -> int:
        return director.show("services")["services"][0]["stats"]["errors"]

    before = errors()
    for _ in range(3):
        assert client.raw(head(fields="")).status == 400
    assert client.get().status == 200
    assert errors() == before + 3


def test_curl_reads_a_refusal(director: Director, client: Client) -> None:
    """A client as people use it sees status and page, also where it sends a large body."""
    director.pool("pool", f"{server_address(1)}:9")
    director.service(pool="pool", body_max="1000")
    result = client.curl("-w", "%{http_code}", "http://10.0.1.1/")
    assert result.returncode == 0, result
    assert result.stdout.endswith("503")
    large = "x" * 100_000
    result = client.curl("-w", "%{http_code}", "-H", "Expect:", "-d", large, "http://10.0.1.1/")
    assert result.stdout.endswith("413"), result
