# SPDX-License-Identifier: GPL-2.0
"""Many requests on one connection: each goes its own way, and the responses keep their order."""

import re
import threading
import time

import pytest
from support.client import Client
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, echo, wait_until

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def echo_service(director: Director, raw_server):
    """One service before one server that answers with the request line."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool")
    return server


def test_each_request_is_switched(director: Director, client: Client, nginx: list) -> None:
    """Pipelined requests go to the three real servers in turn."""
    director.nginx_service()
    with client.connect() as connection:
        connection.send(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n" * 30)
        servers = [connection.response().server for _ in range(30)]
    assert sorted(servers[:3]) == ["rs1", "rs2", "rs3"]
    assert servers == servers[:3] * 10


def test_rules_and_order(director: Director, client: Client, nginx: list) -> None:
    """Pipelined requests that rules send to different servers are answered in order."""
    for n in (1, 2, 3):
        director.pool(f"p{n}", f"10.0.2.1{n}:80")
    director.service(pool="p3")
    director.rule("--path-prefix", "/images/", "--use-pool", "p1")
    director.rule("--path-prefix", "/html/", "--use-pool", "p2")
    targets = ["/images/logo.png", "/html/index.html", "/1m", "/who", "/images/logo.png", "/1k"]
    with client.connect() as connection:
        connection.send(
            b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % t.encode() for t in targets)
        )
        responses = [connection.response() for _ in targets]
    assert [r.server for r in responses] == ["rs1", "rs2", "rs3", "rs3", "rs1", "rs3"]
    assert len(responses[2].body) == 1 << 20


def test_a_deep_pipeline(client: Client, echo_service) -> None:
    """More requests than one buffer of the socket holds are answered, each once."""
    count = 500
    with client.connect() as connection:
        connection.send(b"".join(GET % n for n in range(count)))
        for n in range(count):
            assert connection.response().body.startswith(b"GET /%d " % n)
    assert len(echo_service.heads) == count


def test_bodies_between_requests(client: Client, echo_service) -> None:
    """Requests with bodies of either framing, and without, follow each other in one packet."""
    looks_like_a_head = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    length = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
        len(looks_like_a_head),
        looks_like_a_head,
    )
    chunks = b"POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks += b"5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n"
    with client.connect() as connection:
        connection.send((length + chunks + GET % 1) * 3)
        lines = [connection.response().body.split(b" #")[0] for _ in range(9)]
    assert lines == [b"POST /length HTTP/1.1", b"POST /chunks HTTP/1.1", b"GET /1 HTTP/1.1"] * 3


def test_responses_without_bodies_between(director: Director, client: Client, raw_server) -> None:
    """HEAD, 204 and 304 between others do not bring the order out of step."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if head.startswith(b"HEAD"):
                peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            elif b"/204" in head:
                peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            elif b"/304" in head:
                peer.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n")
            else:
                peer.answer(head.split()[1])

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        for n in range(5):
            connection.get("/x", method="HEAD").get("/204").get("/304").get(f"/{n}")
        for n in range(5):
            assert connection.response(head_only=True).status == 200
            assert [connection.response().status for _ in range(2)] == [204, 304]
            assert connection.response().body == b"/%d" % n


def test_an_error_in_the_pipeline(client: Client, echo_service) -> None:
    """What was right before a malformed request is answered; what comes after is not read."""
    with client.connect() as connection:
        connection.send(GET % 1 + GET % 2 + b"GET /bad HTTP/1.1\r\nHost : a\r\n\r\n" + GET % 3)
        assert connection.response().body.startswith(b"GET /1 ")
        assert connection.response().body.startswith(b"GET /2 ")
        assert connection.response().status == 400
        assert connection.rest() == b""
    assert len(echo_service.heads) == 2


def test_close_in_the_pipeline(client: Client, echo_service) -> None:
    """After a request with Connection: close nothing more is served."""
    with client.connect() as connection:
        connection.send(GET % 1)
        connection.get("/last", fields="Connection: close\r\n")
        connection.send(GET % 2)
        assert connection.response().status == 200
        response = connection.response()
        assert response.body.startswith(b"GET /last ")
        assert response.fields["connection"] == "close"
        assert connection.rest() == b""
    assert not any(b"/2 " in head for head in echo_service.heads)


def test_half_close_after_many(client: Client, echo_service) -> None:
    """A client that pipelines and says no more is answered to the last request."""
    with client.connect() as connection:
        connection.send(b"".join(GET % n for n in range(20))).half_close()
        for n in range(20):
            assert connection.response().body.startswith(b"GET /%d " % n)
        assert connection.rest() == b""


def test_half_close_in_a_head(client: Client, echo_service) -> None:
    """A client that ends in the middle of its second request is answered the first."""
    with client.connect() as connection:
        connection.send(GET % 1 + b"GET /2 HTTP/1.1\r\nHo").half_close()
        assert connection.response().body.startswith(b"GET /1 ")
        rest = connection.rest()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")
    assert len(echo_service.heads) == 1


def test_half_close_in_a_body(director: Director, client: Client, raw_server) -> None:
    """A request whose body is cut short never looks whole to the server."""
    bodies: list[bytes] = []

    def script(peer: Peer) -> None:
        head = peer.head()
        if head is None:
            return
        try:
            bodies.append(peer.body(head))
        except ConnectionResetError:
            bodies.append(b"")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        connection.half_close()
        wait_until(lambda: bodies, what="the server sees the end of what it is sent")
    assert len(bodies[0]) < 10


def test_empty_lines_before_a_request(client: Client, echo_service) -> None:
    """An empty line before a request line is passed over, and does not reach the server."""
    with client.connect() as connection:
        connection.send(GET % 1 + b"\r\n" + GET % 2)
        assert connection.response().body.startswith(b"GET /1 ")
        assert connection.response().body.startswith(b"GET /2 ")
    assert all(re.match(rb"GET /\d HTTP", head) for head in echo_service.heads)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_pieces_of_a_pipeline(client: Client, echo_service, size: int) -> None:
    """How a pipeline is cut into packets makes no difference."""
    post = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    data = (GET % 1 + post + GET % 2) * 4
    with client.connect() as connection:
        for at in range(0, len(data), size):
            connection.send(data[at : at + size])
        for line in [b"GET /1 ", b"POST /p ", b"GET /2 "] * 4:
            assert connection.response().body.startswith(line)


def test_a_slow_first_response(director: Director, client: Client, raw_server) -> None:
    """A response in pieces is whole before the next one begins."""

    def slow(peer: Peer) -> None:
        while peer.head():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for byte in b"slow slow ":
                peer.send(bytes([byte]))

    def quick(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"quick")

    director.pool("slow", raw_server(slow, n=1).address)
    director.pool("quick", raw_server(quick, n=2).address)
    director.service(pool="quick")
    director.rule("--path", "/slow", "--use-pool", "slow")
    with client.connect() as connection:
        connection.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + GET % 1)
        connection.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + GET % 2)
        bodies = [connection.response().body for _ in range(4)]
    assert bodies == [b"slow slow ", b"quick"] * 2


def test_a_head_behind_a_full_buffer(director: Director, client: Client, raw_server) -> None:
    """Long heads that wait for a slow answer, more of them than there is room for: the one that was
    cut off by that comes whole when there is room again."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if b"/slow" in head:
                time.sleep(0.5 * PACE)
            peer.answer(b"x")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    long = GET[:-2] % 1 + b"X-Fill: " + b"y" * 12_000 + b"\r\n\r\n"
    for _ in range(2):
        with client.connect() as connection:
            connection.get("/slow")
            sending = threading.Thread(target=connection.send, args=(60 * long,), daemon=True)
            sending.start()
            began = time.monotonic()
            for _ in range(61):
                response = connection.response()
                assert (response.status, response.body) == (200, b"x")
            sending.join()
            # Long before the head is too late.
            assert time.monotonic() - began < 5 * PACE
