# SPDX-License-Identifier: GPL-2.0
"""Well-behaved traffic beside a storm, every byte of which is checked."""

import threading
from types import TracebackType

from support.client import Client, Connection
from support.transfer import check_put, download, put, upload

# What is transferred in turn: nothing, little, and what takes some windows, in bytes.
SIZES = [0, 11, 5000, 70_000]


class Steady:
    """Keeps connections to a service busy, until it is left. Any failure is raised there."""

    def __init__(self, connections: int = 2, port: int = 80) -> None:
        self.port = port
        self.responses = 0
        self.failures: list[BaseException] = []
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(connections)
        ]

    def _run(self, n: int) -> None:
        try:
            turn = 0
            while not self.stop.is_set():
                turn += 1
                with Client().connect(port=self.port, timeout=60) as connection:
                    self._exchange(connection, f"steady-{n}-{turn}")
        except BaseException as failure:
            self.failures.append(failure)

    def _exchange(self, connection: Connection, name: str) -> None:
        for size in SIZES:
            download(connection, f"/{size}/{name}")
            upload(connection, f"/{size}/{name}")
            self.responses += 2
        targets = [f"/{size}/{name}" for size in (1, 3000) * 3]
        connection.send(b"".join(map(put, targets)))
        for target in targets:
            check_put(connection, target)
            self.responses += 1

    def __enter__(self) -> "Steady":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()
        if value is None and self.failures:
            raise self.failures[0]
