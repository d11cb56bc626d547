# SPDX-License-Identifier: GPL-2.0
"""Responses: what frames them is passed on exactly, and one cut short never looks whole."""

import time
from collections.abc import Callable

import pytest
from support.client import Client
from support.director import Director
from support.raw_server import Peer, RawServer
from support.topology import DIRECTOR
from support.tune import sysctl

SCRIPTED = Callable[[Callable[[Peer], None]], RawServer]

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Y: z\r\n\r\nhello world"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6;n=v;q=\"a b\"\r\nhello \r\n5\r\nworld\r\n0\r\nX-Sum: 7\r\n\r\n"
)  # fmt: skip

# More than a tiny socket takes before it is read, and less than the director keeps for it.
MUCH = b"x" * 16_000


@pytest.fixture
def scripted(director: Director, raw_server) -> SCRIPTED:
    """Makes a server of a script, and a service before it."""

    def make(script: Callable[[Peer], None], **options: str) -> RawServer:
        server = raw_server(script)
        director.pool("pool", server.address)
        director.service(pool="pool", **options)
        return server

    return make


def always(answer: bytes) -> Callable[[Peer], None]:
    """Answers every request with these bytes."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(answer)

    return script


def once(answer: bytes) -> Callable[[Peer], None]:
    """Answers one request with these bytes, and closes."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(answer)

    return script


@pytest.mark.parametrize("answer", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_a_byte_at_a_time(client: Client, scripted: SCRIPTED, answer: bytes) -> None:
    """A response may come in as many packets as it has bytes."""

    def script(peer: Peer) -> None:
        while peer.head():
            for byte in answer:
                peer.send(bytes([byte]))

    server = scripted(script)
    with client.connect() as connection:
        for _ in range(2):
            assert connection.get().response().body == b"hello world"
    assert server.connections == 1


@pytest.mark.parametrize("split", [1, 12, 16, 17, 46, 47, 48, 49, 52, 65, 66, 71, 80, -9, -3, -1])
def test_split_anywhere(client: Client, scripted: SCRIPTED, split: int) -> None:
    """A chunked response cut in two pieces at some place."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(CHUNKED[:split])
            time.sleep(0.02)
            peer.send(CHUNKED[split:])

    server = scripted(script)
    with client.connect() as connection:
        for _ in range(2):
            assert connection.get().response().body == b"hello world"
    assert server.connections == 1


def test_chunks_are_passed_as_they_are(client: Client, scripted: SCRIPTED) -> None:
    """Extensions and trailers reach the client byte by byte as the server sent them."""
    scripted(always(CHUNKED))
    body = CHUNKED.partition(b"\r\n\r\n")[2]
    with client.connect() as connection:
        connection.get(fields="TE: trailers\r\nConnection: TE\r\n")
        assert connection.response(head_only=True).fields["transfer-encoding"] == "chunked"
        assert connection.exactly(len(body)) == body
        assert connection.get().response(head_only=True).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000\r\nT: 1\r\n\r\n",
        b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_empty_bodies(client: Client, scripted: SCRIPTED, answer: bytes) -> None:
    """A response of no bytes is whole, and the next one follows on the same connections."""
    server = scripted(always(answer))
    with client.connect() as connection:
        for _ in range(3):
            response = connection.get().response()
            assert (response.status, response.body) == (200, b"")
    assert server.connections == 1


@pytest.mark.parametrize("status", [200, 206, 299, 302, 404, 418, 500, 503, 599])
def test_any_status(client: Client, scripted: SCRIPTED, status: int) -> None:
    """A server's status, reason and body are its own business."""
    scripted(always(b"HTTP/1.1 %d My Reason\r\nContent-Length: 4\r\n\r\nmine" % status))
    with client.connect() as connection:
        for _ in range(2):
            response = connection.get().response()
            assert response.status == status
            assert response.raw_head.startswith(b"HTTP/1.1 %d My Reason\r\n" % status)
            assert response.body == b"mine"


HEAD_200 = b"HTTP/1.1 200 OK\r\n"
CUT = {
    "length": HEAD_200 + b"Content-Length: 6\r\n\r\nhello",
    "no byte": HEAD_200 + b"Content-Length: 6\r\n\r\n",
    "no chunk": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n",
    "in a size": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n5",
    "in a chunk": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhell",
    "after data": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
    "before the last": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "in the last": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    "in trailers": HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n",
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT.keys())
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_cut_short(client: Client, scripted: SCRIPTED, cut: bytes, reset: bool) -> None:
    """Wherever a framed response ends too early, the client's connection ends with a reset."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(cut)
        if reset:
            # What was sent is to arrive before the reset.
            time.sleep(0.3)
            peer.reset()

    scripted(script)
    with client.connect() as connection:
        assert connection.get().is_cut()
        assert not connection.buffer.endswith(b"0\r\n\r\n")


def cut_behind_a_long_one(peer: Peer) -> None:
    """Answers one request with much, and the next with half of something."""
    peer.head()
    peer.answer(MUCH)
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")


def test_a_cut_destroys_nothing_before_it(client: Client, scripted: SCRIPTED) -> None:
    """What was sent when a response is cut short still arrives, however late it is read."""
    scripted(cut_behind_a_long_one)
    with client.connect(tiny=True) as connection:
        connection.get().get()
        time.sleep(0.5)
        assert connection.response().body == MUCH
        assert connection.is_cut()
        assert connection.buffer.endswith(b"\r\n\r\n12345")


def test_nobody_takes_what_was_before_a_cut(client: Client, scripted: SCRIPTED) -> None:
    """A client that reads nothing does not keep a connection that is to end."""
    scripted(cut_behind_a_long_one, timeout_stall="500ms")
    with client.connect(tiny=True) as connection:
        connection.get().get()
        time.sleep(3)
        assert connection.is_cut()
        assert not connection.buffer.endswith(b"12345")


def test_a_slow_client_before_a_cut(client: Client, scripted: SCRIPTED) -> None:
    """A client that takes what was sent before a cut, slowly but steadily, gets all of it."""
    scripted(cut_behind_a_long_one, timeout_stall="2s")
    with client.connect(tiny=True) as connection:
        connection.get().get()
        began = time.monotonic()
        for _ in range(40):
            connection.buffer += connection.socket.recv(250)
            time.sleep(0.1)
        assert time.monotonic() - began > 3
        assert connection.response().body == MUCH
        assert connection.is_cut()
        assert connection.buffer.endswith(b"\r\n\r\n12345")


def test_a_server_that_stalls_before_a_slow_client(client: Client, scripted: SCRIPTED) -> None:
    """What a server has sent before it stalled reaches a client that has not taken it yet."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(HEAD_200 + b"Content-Length: 50000\r\n\r\n" + MUCH)
        peer.connection.recv(1)

    scripted(script, timeout_stall="3s")
    with client.connect(tiny=True) as connection:
        connection.get()
        # Once this time is up, and less than twice.
        time.sleep(3.6)
        assert connection.is_cut()
        assert connection.buffer.endswith(b"\r\n\r\n" + MUCH)


def test_a_refusal_behind_a_long_response(client: Client, scripted: SCRIPTED) -> None:
    """What was sent before a request is refused still arrives, however late it is read."""
    answer = b"x" * 12_000

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(answer)

    # The response fills the send queue, so that the refusal finds no room.
    with sysctl("net.ipv4.tcp_wmem", "4096 4096 4096", DIRECTOR):
        scripted(script)
        with client.connect(tiny=True) as connection:
            # The second one names no host.
            connection.get().send(b"GET / HTTP/1.1\r\n\r\n")
            time.sleep(4)
            assert connection.response().body == answer
            assert connection.response().status == 400
            assert connection.rest() == b""


def test_a_slow_client_of_a_large_buffer(client: Client, scripted: SCRIPTED) -> None:
    """A client that takes its response steadily is not cut, however seldom there is room."""
    size = 16 << 20

    def script(peer: Peer) -> None:
        peer.head()
        peer.answer(b"x" * size)

    with sysctl("net.ipv4.tcp_wmem", "4096 1048576 4194304", DIRECTOR):
        scripted(script, timeout_stall="2s")
        with client.connect(timeout=30) as connection:
            connection.get()
            began = time.monotonic()
            while time.monotonic() - began < 12:
                connection.buffer += connection.socket.recv(5000)
                time.sleep(0.1)
            assert connection.response().body == b"x" * size


def test_until_close_that_is_reset(client: Client, scripted: SCRIPTED) -> None:
    """A body without a length is cut where its server's connection is reset, not ended."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000)
        time.sleep(0.3)
        peer.reset()

    scripted(script)
    with client.connect() as connection:
        assert connection.get().is_cut()


@pytest.mark.parametrize(
    "bad", [b"x\r\n", b"5\r\nhelloXX\r\n", b"\r\n", b"fffffffffffffffff\r\n", b"-5\r\nhello\r\n"]
)
def test_bad_chunks(client: Client, scripted: SCRIPTED, bad: bytes) -> None:
    """A response whose chunks go wrong is cut there, and its connection is not used again."""
    server = scripted(always(HEAD_200 + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + bad))
    for n in (1, 2):
        with client.connect() as connection:
            assert connection.get().is_cut()
        assert server.connections == n


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", b"HTTP"]
)
def test_cut_in_a_head(client: Client, scripted: SCRIPTED, head: bytes) -> None:
    """A response without a whole head is none: 502."""
    scripted(once(head))
    response = client.get()
    assert response.status == 502
    assert response.fields["connection"] == "close"


def test_chunks_for_an_old_client(client: Client, scripted: SCRIPTED) -> None:
    """A client of HTTP/1.0 never gets chunks, which it could not read."""
    scripted(always(CHUNKED))
    with client.connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        everything = connection.rest()
    assert everything.startswith(b"HTTP/1.1 502 ")
    assert b"chunked" not in everything.lower()


def test_until_close_for_an_old_client(client: Client, scripted: SCRIPTED) -> None:
    """The oldest form of a response goes through as it is."""
    scripted(once(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall there is"))
    with client.connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = connection.rest().partition(b"\r\n\r\n")
    assert b"Content-Type: text/plain" in head
    assert body == b"all there is"


def test_interim_for_an_old_client(client: Client, scripted: SCRIPTED) -> None:
    """A client of HTTP/1.0 does not see interim responses, which it does not know."""
    scripted(always(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + LENGTH))
    with client.connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.response().status == 200


def test_interim_after_expect_is_not_the_end(client: Client, scripted: SCRIPTED) -> None:
    """A client may send its body without waiting for the 100; both answers reach it."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.answer(peer.body(head))

    scripted(script)
    with client.connect() as connection:
        for body in (b"first", b"other"):
            connection.send(
                b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                + body
            )
            assert connection.response().status == 100
            assert connection.response().body == body


def test_refused_expectation(client: Client, scripted: SCRIPTED) -> None:
    """A server may refuse a body instead of asking for it; the client sends none."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.answer(b"no", status="417 Expectation Failed", fields="Connection: close\r\n")

    scripted(script)
    with client.connect() as connection:
        connection.send(
            b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n"
        )
        assert connection.response().status == 417
        assert connection.rest() == b""


def test_too_many_interim_responses(client: Client, scripted: SCRIPTED) -> None:
    """A server that sends interim responses without end is given up."""

    def script(peer: Peer) -> None:
        peer.head()
        while True:
            peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")

    scripted(script)
    with client.connect() as connection:
        connection.get()
        statuses = [102]
        while statuses[-1] == 102:
            statuses.append(connection.response().status)
            assert len(statuses) < 100
        assert statuses[-1] == 502


@pytest.mark.parametrize(
    "fields", [b"Content-Length: 1000", b"Transfer-Encoding: chunked", b"A: b"]
)
def test_head_of_anything(client: Client, scripted: SCRIPTED, fields: bytes) -> None:
    """A response to HEAD ends with its head, whatever it says, and connections go on."""
    server = scripted(always(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n"))
    with client.connect() as connection:
        for _ in range(3):
            response = connection.get(method="HEAD").response(head_only=True)
            assert fields.lower() in response.raw_head.lower()
    assert server.connections == 1


def test_long_response_head(client: Client, scripted: SCRIPTED) -> None:
    """Large heads of a server go through whole, up to the limit."""
    fields = b"".join(b"X-%d: %s\r\n" % (n, b"v" * 200) for n in range(60))
    scripted(always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + fields + b"\r\nok"))
    response = client.get()
    assert response.body == b"ok"
    assert fields in response.raw_head


def test_response_head_beyond_the_limit(client: Client, scripted: SCRIPTED) -> None:
    """A head that does not end within the limit is no answer: 502."""
    server = scripted(always(b"HTTP/1.1 200 OK\r\nX: " + b"v" * 40000 + b"\r\n\r\n"))
    assert client.get().status == 502
    assert client.get().status == 502
    assert server.connections == 2
