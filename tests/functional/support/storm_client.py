# SPDX-License-Identifier: GPL-2.0
"""A host of clients in a storm, as a process of its own: what happens in the storm and what it
means to clients shall not wait for each other.

    python3 -m support.storm_client NAMESPACE COUNT SEED NAME=PORT...

says that it is there by an empty account, reads the words go and rest, and answers the second with
what its clients have seen.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

from support.netns import Netns
from support.storm_kinds import KINDS
from support.storm_load import Clients, Tally


class ClientHost:
    """The process, for who starts it."""

    def __init__(self, name: str, services: dict[str, int], count: int, seed: int) -> None:
        ports = [f"{service}={port}" for service, port in services.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.storm_client", name, str(count), str(seed), *ports],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def say(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def heard(self) -> dict[str, Tally]:
        """What the clients have seen, once they rest."""
        assert self.process.stdout
        found = pickle.load(self.process.stdout)
        if isinstance(found, BaseException):
            raise found
        return found

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def main() -> None:
    name, count, seed, *ports = sys.argv[1:]
    services = {one.split("=")[0]: int(one.split("=")[1]) for one in ports}
    clients = Clients(Netns(name), services, int(count), f"{seed} {name}", KINDS)
    pickle.dump({}, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    for line in sys.stdin:
        if line == "go\n":
            clients.go()
            continue
        found: dict[str, Tally] | BaseException
        try:
            found = clients.rest()
        except BaseException as crash:
            found = AssertionError(f"a client of {name} crashed: {crash!r}")
        pickle.dump(found, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
