# SPDX-License-Identifier: GPL-2.0
"""TCP Fast Open (RFC 7413): a request that comes with the SYN."""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import echo
from support.topology import CLIENT, DIRECTOR, VIP
from support.tune import counter, disturbed, sysctl

# Data in the SYN goes without a cookie (of RFC 7413): from a client that has none, and to every
# listener.
OF_CLIENT = "5"
OF_SERVER = str(0x602)

GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n"


@pytest.fixture(params=["at once", "late"])
def opened(director: Director, client: Client, raw_server, request) -> Iterator[Callable]:
    """Opens a connection with a request. The end of the handshake comes at once, or later than the
    request could be answered."""
    server = raw_server(echo)
    with contextlib.ExitStack() as settings:
        settings.enter_context(sysctl("net.ipv4.tcp_fastopen", OF_SERVER, DIRECTOR))
        settings.enter_context(sysctl("net.ipv4.tcp_fastopen", OF_CLIENT, CLIENT))
        director.apply(
            pool_text("p", server.address, more=("cookie SRV",))
            + service_text(
                "path /old redirect /new", "path /no status 403", pool="p",
                more=("forwarded-for on",),
            )
        )  # fmt: skip
        if request.param == "late":
            settings.enter_context(disturbed(CLIENT, "eth0", "delay", "50ms"))

        def make(data: bytes) -> Connection:
            with CLIENT.entered():
                sock = socket.socket()
            sock.settimeout(10 * PACE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            before = counter(DIRECTOR, "TcpExtTCPFastOpenPassive")
            sent = sock.sendto(data, socket.MSG_FASTOPEN, (VIP, 80))
            connection = Connection(sock).send(data[sent:])
            assert counter(DIRECTOR, "TcpExtTCPFastOpenPassive") == before + 1
            return connection

        yield make


@pytest.mark.parametrize("size", [0, 1000, 3000])
def test_answered(opened: Callable, size: int) -> None:
    """The server answers it, and what follows on the connection."""
    fill = b"X-Fill: %s\r\n" % (b"y" * size)
    for _ in range(3):
        with opened(GET % (b"first", fill)) as connection:
            assert connection.response().body.startswith(b"GET /first ")
            assert connection.get("/next").response().body.startswith(b"GET /next ")


def test_pipelined(opened: Callable) -> None:
    """Several requests in the SYN are answered in order."""
    with opened(b"".join(GET % (b"%d" % n, b"") for n in range(8))) as connection:
        for n in range(8):
            assert connection.response().body.startswith(b"GET /%d " % n)


def test_a_body(opened: Callable) -> None:
    """A request whose body begins in the SYN and goes on behind it."""
    head = b"PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    with opened(head + b"x" * 100_000) as connection:
        assert connection.response().body.endswith(b" 100000")


def test_own_answers(opened: Callable) -> None:
    """The director answers it itself, and goes on."""
    for target, status in ((b"old", 302), (b"no", 403)):
        with opened(GET % (target, b"")) as connection:
            assert connection.response().status == status
            assert connection.get("/next").response().body.startswith(b"GET /next ")


def test_refused(opened: Callable) -> None:
    """What is no request gets an error page, and the connection ends."""
    with opened(b"what?\r\n\r\n") as connection:
        assert connection.response().status == 400
        assert connection.rest() == b""


def test_half_a_head(opened: Callable) -> None:
    """The rest of the head may come later; a client may also close at once."""
    data = GET % (b"split", b"")
    with opened(data[:20]) as connection:
        assert connection.send(data[20:]).response().body.startswith(b"GET /split ")
    with opened(data) as connection:
        # Until the handshake is over there is no half of it to close.
        select.select([], [connection.socket], [], 10 * PACE)
        connection.half_close()
        assert connection.response().body.startswith(b"GET /split ")
        assert connection.rest() == b""
