# SPDX-License-Identifier: GPL-2.0
"""What all connections may take together."""

import contextlib
import threading
import time
from collections.abc import Iterator

from support.client import Client, Connection
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.nginx import Nginx
from support.pace import PACE
from support.raw_server import wait_until
from support.topology import VIP
from support.transfer import MIB

LIMIT = 4 * MIB

CONFIG = f"mem-limit {LIMIT}\n"

# What an idle connection takes at least, in bytes: the socket alone is more.
IDLE_MIN = 2000


def limited(director: Director) -> None:
    """One server, behind a limit."""
    director.apply(CONFIG + pool_text("p", NGINX[0]) + service_text(pool="p"))


def taken(director: Director) -> int:
    """What connections take, in bytes."""
    return director.show("stats")["memory"]


def is_open(connection: Connection) -> bool:
    """Whether the director has not closed it."""
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@contextlib.contextmanager
def served(client: Client) -> Iterator[None]:
    """Meanwhile a client asks again and again, over one connection, and is answered."""
    over = threading.Event()
    failures = []

    def ask() -> None:
        try:
            with client.connect() as connection:
                while not over.is_set():
                    assert connection.get("/who").response().body == b"rs1\n"
                    time.sleep(0.02)
        except Exception as failure:
            failures.append(failure)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert not failures, failures


def test_idle_connections_go_first(director: Director, client: Client, nginx: list[Nginx]) -> None:
    """Of more idle connections than there is memory for those stay that were active last."""
    limited(director)
    with contextlib.ExitStack() as stack, served(client):
        made = []
        for _ in range(LIMIT // IDLE_MIN):
            made.append(stack.enter_context(client.connect()))
            made[-1].get("/who").response()
        wait_until(lambda: 0 < taken(director) <= LIMIT, 5, "too much is taken")
        stay = [is_open(connection) for connection in made]
        assert 0 < stay.count(True) < len(made)
        # The first and the last quarter.
        quarter = len(made) // 4
        assert not any(stay[:quarter])
        assert all(stay[-quarter // 2 :])
    assert client.get("/who").body == b"rs1\n"


def test_who_waited_for_longest_goes(
    director: Director, client: Client, nginx: list[Nginx]
) -> None:
    """It is the idle connections that have waited for longest that go, and not those whose service
    would wait the least for them."""
    patient = service_text(name="patient", listen=f"{VIP}:81", pool="p", more=("timeout-idle 1h",))
    director.apply(
        CONFIG
        + pool_text("p", NGINX[0])
        + service_text(pool="p", more=("timeout-idle 1m",))
        + patient
    )
    with contextlib.ExitStack() as stack, served(client):

        def idle(number: int, port: int) -> list[Connection]:
            made = []
            for _ in range(number):
                made.append(stack.enter_context(client.connect(port=port)))
                made[-1].get("/who").response()
            return made

        old = idle(100, 81)
        time.sleep(5)
        young = idle(100, 80)
        time.sleep(2)
        limit = taken(director) * 3 // 4
        director.tcpvsadm("set", "--mem-limit", str(limit))
        wait_until(lambda: 0 < taken(director) <= limit, 5, "nobody goes")
        wait_until(lambda: not all(map(is_open, old)), 5, "they stay")
        assert any(map(is_open, old))
        assert all(map(is_open, young))


def test_slow_readers_go(director: Director, client: Client, nginx: list[Nginx]) -> None:
    """Where nobody is idle the ones go that take most; who asks for little is served."""
    limited(director)
    with contextlib.ExitStack() as stack, served(client):
        readers = [stack.enter_context(client.connect()) for _ in range(40)]
        for reader in readers:
            reader.get("/1m")
        time.sleep(2 * PACE)
        wait_until(lambda: taken(director) <= LIMIT, 5, "too much is taken")
        cut = 0
        for reader in readers:
            with contextlib.suppress(ConnectionResetError, AssertionError):
                reader.response()
                continue
            cut += 1
        assert 0 < cut < len(readers)


def test_limit_may_come_later(director: Director, client: Client, nginx: list[Nginx]) -> None:
    """A limit holds for connections that are there already, and can be taken away again."""
    # They take long to make on a slow machine, and shall not be closed for another reason.
    director.nginx_service(timeout_head="10m", timeout_idle="10m")
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(client.connect()) for _ in range(500)]
        for connection in made:
            connection.get("/who").response()
        wait_until(lambda: taken(director) > 500 * IDLE_MIN, 5, "nothing is counted")
        director.tcpvsadm("set", "--mem-limit", "512k")
        wait_until(lambda: taken(director) <= 512 * 1024, 5, "the limit does not hold")
        assert not all(map(is_open, made))
        director.tcpvsadm("set", "--mem-limit", "default")
        made = [stack.enter_context(client.connect()) for _ in range(500)]
        for connection in made:
            connection.get("/who").response()
        time.sleep(1.5 * PACE)
        assert all(map(is_open, made))
