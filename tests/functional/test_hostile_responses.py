# SPDX-License-Identifier: GPL-2.0
"""Hostile servers: what is no answer reaches no client, and no answer reaches another client.

Each case comes twice: in the segments that it is written in, and in many small ones.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hostile import bodies, connections, expectations, heads
from hostile.answer import POISON, Answer
from hostile.case import request
from hostile.stage import PIECE, PIECES_MAX, ServerStage, pieces, stage
from hostile.witness import told

# What servers say when they close a connection that nobody used.
TIMEOUT = b"HTTP/1.1 408 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

ANSWERS = [
    answer for table in (bodies, connections, expectations, heads) for answer in table.ANSWERS
]


@pytest.fixture(scope="module")
def on_stage(module: None) -> Iterator[ServerStage]:
    """What all cases are played on."""
    with stage(ServerStage) as it:
        yield it


@pytest.fixture(autouse=True)
def clean(on_stage: ServerStage) -> Iterator[None]:
    """Takes the place of the fixture that flushes the configuration behind each test: here what
    must be clean is the kernel's log; each case looks after its connections itself."""
    yield
    on_stage.witness.play = None
    on_stage.witness.early = False
    on_stage.witness.greeting = b""
    assert not on_stage.complaints.fresh()


def test_ids() -> None:
    """No case stands in for another."""
    ids = [answer.id for answer in ANSWERS]
    assert len(ids) == len(set(ids)) >= 200


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.id for answer in ANSWERS])
def test_response(on_stage: ServerStage, answer: Answer) -> None:
    """What comes of a case, whole and in pieces."""
    on_stage.answer(answer)
    said = b"".join(answer.says)
    # Poison is longer than a piece.
    if len(said) <= PIECES_MAX and POISON not in said:
        on_stage.answer(replace(answer, says=pieces(answer.says, PIECE)))


@pytest.mark.parametrize("greeting", [POISON, POISON * 2, b"x", TIMEOUT])
def test_greeting(on_stage: ServerStage, greeting: bytes) -> None:
    """What a server says before it is asked, nobody but the first to ask may take for an answer."""
    on_stage.end_idle()
    on_stage.witness.greeting = greeting
    with on_stage.client.connect() as connection:
        # It depends on what comes first, the greeting or the request.
        status = connection.send(request()).response().status
    assert status in (200, 408, 502, 503)
    on_stage.witness.greeting = b""
    on_stage.witness.wait_end(on_stage.server.connections)
    for _ in range(3):
        on_stage.probe()


def test_unasked_while_idle(on_stage: ServerStage) -> None:
    """A connection over which something comes while nobody uses it is not used again."""
    number, _ = on_stage.probe()
    on_stage.server.open[number - 1].send(POISON)
    on_stage.witness.wait_end(number)
    assert on_stage.probe()[0] > number


def test_bodies_are_told(on_stage: ServerStage) -> None:
    """What the other tests rely on: an answer names the request that it is for."""
    data = request(b"Content-Length: 5", method=b"PUT", target=b"/x", body=b"hello")
    mark = on_stage.begin()
    with on_stage.client.connect() as connection:
        assert connection.send(data).response().body == told(data) == b"PUT /x HTTP/1.1 5"
    assert list(on_stage.settle(mark).values()) == [data]
