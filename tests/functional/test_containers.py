# SPDX-License-Identifier: GPL-2.0
"""Containers, whose roots configure the module for themselves, and are nobody elsewhere."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import pytest
from support.client import Client
from support.director import Director
from support.nginx import Nginx
from support.pace import PACE
from support.raw_server import wait_until

# What they may take together, in bytes.
LIMIT = 1 << 20

# More connections than fit: a socket alone takes more than 2 KiB.
MANY = LIMIT // 2048

# What there is always room for.
FEW = 100


class Container:
    """One, with clients that want so many connections to its own service."""

    def __init__(self, clients: int, kind: str) -> None:
        self.process = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net",
             sys.executable, "-m", "support.container", str(clients), kind],
            cwd=Path(__file__).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._hear()

    def _hear(self) -> None:
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said, "the container broke off"
        seen = json.loads(said)
        self.open, self.memory = seen["open"], seen["memory"]

    def look(self) -> None:
        """Sees how it is now."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self._hear()

    def __enter__(self) -> "Container":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # It ends with its input.
        self.process.communicate(timeout=60 * PACE)


@pytest.fixture
def loaded(director: Director) -> Iterator[Callable[..., None]]:
    """Loads the module with other parameters, until the end of the test."""

    def load(*parameters: str) -> None:
        director.unload()
        director.load(*parameters)

    yield load
    load()


def settled(*containers: Container) -> None:
    """Waits until they take no more together than they may."""

    def within() -> bool:
        for one in containers:
            one.look()
        return sum(one.memory for one in containers) <= LIMIT

    wait_until(within, 10, "they take too much")


@pytest.mark.parametrize("kind", ["idle", "busy"])
def test_they_have_a_limit_together(
    director: Director, loaded: Callable[..., None], kind: str
) -> None:
    """However many there are, and whatever they do and allow themselves. Who was there first has
    to give up what goes beyond its share, and no more; what one gives back another can have."""
    loaded(f"container_mem_limit={LIMIT}")
    with Container(MANY, kind) as first:
        settled(first)
        alone = first.open
        # One that has begun a request takes some times what an idle one does.
        assert MANY // 16 < alone < MANY
        with Container(MANY, kind) as second:
            settled(first, second)
            for one in (first, second):
                assert LIMIT // 3 < one.memory < LIMIT - LIMIT // 3
                assert one.open > alone // 4
    # A namespace is gone a moment after its last process.
    wait_until(lambda: all_have_room(kind, alone), 10, "what was given back is not there")


def all_have_room(kind: str, alone: int) -> bool:
    """Whether a container that is alone has as much as the first one had."""
    with Container(MANY, kind) as third:
        third.look()
        return third.open > alone - alone // 4


def test_others_have_no_part_in_it(
    director: Director, client: Client, nginx: list[Nginx], loaded: Callable[..., None]
) -> None:
    """The machine's own namespaces take what they like, and leave containers theirs."""
    loaded(f"container_mem_limit={LIMIT}")
    with Container(MANY, "idle") as container:
        settled(container)
        before = container.open
        director.nginx_service(timeout_head="10m", timeout_idle="10m")
        connections = [client.connect() for _ in range(MANY)]
        for connection in connections:
            assert connection.get("/who").response().server
        wait_until(lambda: director.show("stats")["memory"] > LIMIT, 10, "nothing is counted")
        container.look()
        assert container.open == before
        for connection in connections:
            assert connection.get("/who").response().server
            connection.close()


def test_default(director: Director) -> None:
    """Unless it is set their limit is a part of the memory, and that is more than these take. A
    namespace that ends takes its connections along."""
    with Container(FEW, "idle") as container:
        container.look()
        assert container.open == FEW
