# SPDX-License-Identifier: GPL-2.0
"""The fixtures of the functional tests, which run in a guest.

After every test the counters must add up, the configuration is flushed, the director's connections
must be gone, and the kernel must not have complained: no test can forget it.
"""

from collections.abc import Callable, Iterator

import pytest
from support.client import Client
from support.counters import astray
from support.director import Director
from support.kernel_log import KernelLog
from support.nginx import Nginx
from support.raw_server import Peer, RawServer
from support.selection import LIST, NotThere, part, selected
from support.topology import SERVERS, server_address, up


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core", action="store_true", help=f"only the tests of {LIST.name}")
    parser.addoption("--part", type=part, help="I/N: only every Nth test from the Ith on")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Where memory has failed the kernel's own checks may have given up.
    items.sort(key=lambda item: item.get_closest_marker("faults") is not None)
    by_id = {f"{item.path.name}::{item.name}": item for item in items}
    chosen = list(by_id)
    if config.getoption("--core"):
        try:
            core = selected(LIST.read_text(), by_id)
        except NotThere as error:
            raise pytest.UsageError(f"{LIST.name}: {error}") from None
        chosen = [one for one in chosen if one in core]
    if config.getoption("--part"):
        chosen = chosen[config.getoption("--part")]
    left_out = set(by_id).difference(chosen)
    config.hook.pytest_deselected(items=[by_id[one] for one in by_id if one in left_out])
    items[:] = [by_id[one] for one in chosen]


@pytest.fixture(scope="session")
def topology() -> None:
    """The namespaces."""
    up()


@pytest.fixture(scope="session")
def kernel_log() -> KernelLog:
    return KernelLog()


@pytest.fixture(scope="session")
def module(topology: None) -> Iterator[None]:
    """The module is loaded."""
    Director.load()
    yield
    Director.unload()


@pytest.fixture(autouse=True)
def clean(module: None, kernel_log: KernelLog) -> Iterator[None]:
    """Every test begins with nothing configured, and leaves nothing behind."""
    kernel_log.fresh_complaints()
    yield
    director = Director()
    try:
        unexplained = astray(director.show())
    finally:
        director.flush()
        director.settle()
    assert not unexplained, "requests are lost from the counters:\n" + "\n".join(unexplained)
    complaints = kernel_log.fresh_complaints()
    assert not complaints, "the kernel complains:\n" + "\n".join(complaints)


@pytest.fixture
def director(clean: None) -> Director:
    return Director()


@pytest.fixture
def client(clean: None) -> Client:
    return Client()


@pytest.fixture(scope="session")
def nginx(topology: None) -> list[Nginx]:
    """The three real servers rs1, rs2 and rs3, on port 80."""
    servers = [Nginx(namespace, n) for n, namespace in enumerate(SERVERS, 1)]
    for server in servers:
        server.start()
    return servers


@pytest.fixture
def raw_server(clean: None) -> Iterator[Callable[..., RawServer]]:
    """Makes scripted servers: raw_server(script, n=1, port=8080)."""
    made: list[RawServer] = []

    def make(script: Callable[[Peer], None], n: int = 1, port: int = 8080) -> RawServer:
        made.append(RawServer(SERVERS[n - 1], server_address(n), port, script))
        return made[-1]

    yield make
    for server in made:
        server.close()
