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

# What they may take together, in bytes.
LIMIT = 1 << 20

# More connections than fit into half of that: a socket alone takes more than 2 KiB.
MANY = LIMIT // 2048

# What is accepted between two looks may go beyond the limit by a little.
SLACK = LIMIT // 8


class Container:
    """One, with clients that want so many connections to its own service."""

    def __init__(self, clients: int) -> None:
        self.process = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net",
             sys.executable, "-m", "support.container", str(clients)],
            cwd=Path(__file__).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._hear()

    def _hear(self) -> None:
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said, "the container broke off"
        seen = json.loads(said)
        self.open, self.memory = seen["open"], seen["memory"]

    def again(self) -> None:
        """Has those come again that were refused."""
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
        self.process.communicate(timeout=60)


@pytest.fixture
def loaded(director: Director) -> Iterator[Callable[..., None]]:
    """Loads the module with other parameters, until the end of the test."""

    def load(*parameters: str) -> None:
        director.unload()
        director.load(*parameters)

    yield load
    load()


def test_they_have_a_limit_together(
    director: Director, client: Client, nginx: list[Nginx], loaded: Callable[..., None]
) -> None:
    """However many there are, and whatever they allow themselves. Others have nothing to do with
    it; and what one gives back another can have."""
    loaded(f"container_mem_limit={LIMIT}")
    with Container(MANY) as first:
        assert 0 < first.open < MANY
        alone = first.open
        with Container(MANY) as second:
            first.again()
            assert first.memory + second.memory <= LIMIT + SLACK
            assert first.open + second.open < MANY
            # The second came too late for much, but nobody is cut off for it who is served.
            assert second.open < alone
            director.nginx_service()
            connections = [client.connect() for _ in range(MANY)]
            for connection in connections:
                assert connection.get("/who").response().server
            assert director.show("stats")["memory"] > LIMIT
            for connection in connections:
                connection.close()
    with Container(MANY) as third:
        assert third.open > alone // 2


def test_default(director: Director) -> None:
    """Unless it is set their limit is a part of the memory, and that is more than these take."""
    with Container(MANY) as container:
        assert container.open == MANY
