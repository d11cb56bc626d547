# SPDX-License-Identifier: GPL-2.0
"""The service that is asked where there is no memory."""

import re

from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.raw_server import RawServer
from support.transfer import download, upload

# What the tool says, by itself or by the kernel's error. That of a socket is another one: ENFILE;
# and for want of memory for its port TCP says that the address is in use (inet_csk_get_port()).
NO_MEMORY = re.compile("memory|buffer space|open files|address is in use")

LINES = ("cookie SRV",)
OPTIONS = ("forwarded-for on",)


def configure(director: Director, server: RawServer, *rules: str) -> None:
    director.apply(
        pool_text("p", server.address, more=LINES) + service_text(*rules, pool="p", more=OPTIONS)
    )


def serves(client: Client) -> None:
    """Requests of all kinds are answered as if nothing had been."""
    for n in range(3):
        with client.connect() as connection:
            download(connection, f"/100/after-{n}")
            upload(connection, f"/3000/after-{n}")
            download(connection, f"/50000/after-{n}")
