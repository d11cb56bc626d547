# SPDX-License-Identifier: GPL-2.0
"""All that a client of a storm may do over one connection."""

import random
import time

from support.client import Connection
from support.pace import PACE
from support.storm_load import Kind, Session
from support.storm_requests import (
    Cut,
    Request,
    Status,
    Wrong,
    begin,
    get,
    get_chunks,
    get_head,
    head,
    put,
    put_chunks,
)
from support.transfer import content

# Longer ones fill sockets' buffers.
LARGE = 200_000

CLOSE = "Connection: close\r\n"

# What is asked for in pipelines.
SHORT = [get, get_chunks, get_head, put, put_chunks]


def small(session: Session, connection: Connection, choices: random.Random) -> None:
    """Short ones, one by one."""
    for _ in range(choices.randrange(1, 12)):
        if not session.ask(connection, get(session.target(choices.randrange(16, 2000)))):
            return


def large(session: Session, connection: Connection, choices: random.Random) -> None:
    """Long ones."""
    for _ in range(choices.randrange(1, 3)):
        kind = choices.choice([get, get_chunks])
        if not session.ask(connection, kind(session.target(choices.randrange(20_000, LARGE)))):
            return


def uploads(session: Session, connection: Connection, choices: random.Random) -> None:
    """Short and long ones up."""
    for _ in range(choices.randrange(1, 4)):
        kind = choices.choice([put, put_chunks])
        size = choices.choice([16, 3000, choices.randrange(LARGE)])
        if not session.ask(connection, kind(session.target(size))):
            return


def pipelined(session: Session, connection: Connection, choices: random.Random) -> None:
    """Several at once."""
    for _ in range(choices.randrange(1, 3)):
        kinds = [choices.choice(SHORT) for _ in range(choices.randrange(2, 8))]
        requests = [kind(session.target(choices.randrange(16, 5000))) for kind in kinds]
        if not session.ask(connection, *requests):
            return


def closed(session: Session, connection: Connection, choices: random.Random) -> None:
    """One, after which the connection ends."""
    last(session, connection, get(session.target(choices.randrange(16, 10_000)), CLOSE))


def last(session: Session, connection: Connection, request: Request) -> None:
    """A request after which the connection ends."""
    if session.ask(connection, request):
        try:
            if connection.rest():
                session.failed(Wrong("more than the response"), 0)
        except OSError as error:
            session.failed(Cut(f"after the response: {error!r}"), 0)


def slow(session: Session, connection: Connection, choices: random.Random) -> None:
    """A head in pieces."""
    request = get(session.target(choices.randrange(16, 500)))
    at = choices.randrange(1, len(request.data))
    try:
        connection.send(request.data[:at])
        time.sleep(choices.random() * 0.2 * PACE)
    except OSError:
        session.failed(Cut("in a head"), 1)
        return
    if session.ask(connection, Request(request.data[at:], request.body, request.framing)):
        session.also(at, 0)


def old(session: Session, connection: Connection, choices: random.Random) -> None:
    """One of HTTP/1.0, after which the connection ends."""
    last(session, connection, get(session.target(choices.randrange(16, 10_000)), version="1.0"))


def patient(session: Session, connection: Connection, choices: random.Random) -> None:
    """An upload that waits until its server wants it."""
    whole = put(session.target(choices.randrange(16, 20_000)))
    at = whole.data.index(b"\r\n\r\n")
    asked = whole.data[:at] + b"\r\nExpect: 100-continue\r\n\r\n"
    try:
        session.send(connection, asked)
        interim = begin(connection, 100)
    except (Cut, Status, Wrong) as failure:
        session.failed(failure, 1, "before a body was asked for")
        return
    if session.ask(connection, Request(whole.data[at + 4 :], whole.body, whole.framing)):
        session.also(len(asked), len(interim.raw_head))


def tunnel(session: Session, connection: Connection, choices: random.Random) -> None:
    """Another protocol, in which all comes back."""
    data = content(session.target(choices.randrange(16, 20_000)))
    asked = head("GET", "/0/tunnel", "Connection: Upgrade\r\nUpgrade: echo\r\n")
    session.switch(connection, asked, data)


KINDS: list[Kind] = [
    small,
    small,
    large,
    uploads,
    pipelined,
    closed,
    slow,
    old,
    patient,
    tunnel,
]
