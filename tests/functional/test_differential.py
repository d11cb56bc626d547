# SPDX-License-Identifier: GPL-2.0
"""What the director passes on means the same to everyone: others read it, each with a parser of its
own, and see the messages begin and end where they were meant to.

KTCPVS_SEED and KTCPVS_COUNT say what is made, and how much of it.
"""

import contextlib
import random
import re
from dataclasses import dataclass, field

import pytest
from support.client import Client
from support.director import Director
from support.grammar import Request, connections, count, requests, seed
from support.grammar_odd import TABLE, wrong_requests
from support.parsers import Reader, Refused, cut_requests, same, same_or_refused
from support.parsers_record import SENTINEL, SENTINEL_SEEN, Recorder, meant, through
from support.parsers_servers import END_SEEN, KINDS, Kind, running
from support.topology import SERVERS, server_address

# Readers of support.parsers_requests, which loads much: not before it is needed.
LIBRARIES = ["h11", "http_parser", "llhttp", "aiohttp", "gunicorn", "waitress"]

# What has gone through the director is read by all, one after another.
passed: dict[str, list] = {}


@pytest.fixture
def recorder(director: Director, raw_server) -> Recorder:
    """A service before a server that keeps what it gets."""
    recorder = Recorder()
    director.pool("pool", raw_server(recorder).address)
    director.service(pool="pool")
    return recorder


def valid(client: Client, recorder: Recorder) -> list[tuple[Request, bytes]]:
    """Requests that went through, and what came out."""
    if "valid" not in passed:
        chance = random.Random(seed())
        made = [*TABLE, *requests(chance, count(200))]
        passed["valid"] = through(chance, client, recorder, connections(made, 20))
    return passed["valid"]


@dataclass
class Tally:
    """How many messages a reader has understood."""

    seen: int = 0
    of: int = 0
    pipeline: list[tuple[Request, bytes]] = field(default_factory=list)


def compare(reader: Reader, came: list[tuple[Request, bytes]], is_server: bool) -> None:
    """The reader sees what was meant: of each message by itself, where it may not want it, or else
    of all of them in one stream."""
    tally = Tally()
    last = [] if is_server else [reader.sees(SENTINEL_SEEN)]
    ending = b"" if is_server else SENTINEL
    end = [reader.sees(END_SEEN)] if is_server else []
    for request, data in came:
        if request.oddities & reader.errs:
            continue
        tally.of += 1
        if not request.oddities & reader.declines and not request.ends_server:
            tally.pipeline.append((request, data))
            continue
        found = reader.read(data + ending)
        expected = [reader.sees(meant(request)), *last, *end]
        # It may close its connection after this one, or complain of what is behind it.
        if request.ends_server and (len(found) == 1 or isinstance(found[1], Refused)):
            found, expected = found[:1], expected[:1]
        what = f"{reader.name} of {data[:2000]!r}"
        understood = same_or_refused(found, expected, what)
        assert understood or request.oddities & reader.declines, f"refused: {what}: {found}"
        tally.seen += understood
    for at in range(0, len(tally.pipeline), 25):
        part = tally.pipeline[at : at + 25]
        expected = [reader.sees(meant(request)) for request, _ in part] + last + end
        found = reader.read(b"".join(data for _, data in part) + ending)
        same(found, expected, f"{reader.name} of {[data[:2000] for _, data in part]}")
        tally.seen += len(part)
    assert tally.seen * 10 > tally.of * 6, f"{reader.name} understands {tally.seen} of {tally.of}"


def library(name: str) -> Reader:
    from support.parsers_requests import READERS

    (reader,) = (one for one in READERS if one.name == name)
    return reader


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries(client: Client, recorder: Recorder, name: str) -> None:
    """Requests as servers' libraries read them."""
    compare(library(name), valid(client, recorder), is_server=False)


def test_what_is_misread(client: Client, recorder: Recorder) -> None:
    """What a library is not asked for, since it reads it wrongly, it does read wrongly."""
    reader = library("aiohttp")
    assert reader.errs
    for what in reader.errs:
        came = [one for one in valid(client, recorder) if what in one[0].oddities]
        readings = [
            reader.read(data + SENTINEL)
            == [reader.sees(meant(request)), reader.sees(SENTINEL_SEEN)]
            for request, data in came
        ]
        assert not all(readings) or count(200) < 200, f"aiohttp may be asked for: {what}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_servers(client: Client, recorder: Recorder, kind: Kind) -> None:
    """Requests as whole servers read them."""
    came = valid(client, recorder)
    with running(kind, SERVERS[2], server_address(3)) as reader:
        compare(reader, came, is_server=True)


def sent_wrong(client: Client, recorder: Recorder) -> list[bytes]:
    """What came out of requests with something wrong, each with a right one behind it."""
    if "wrong" in passed:
        return passed["wrong"]
    came: list[bytes] = []
    number = count(250)
    for data in wrong_requests(random.Random(seed()), number):
        answers = b""
        # A message that is cut short is cut off.
        with client.connect() as connection, contextlib.suppress(ConnectionResetError):
            connection.send(data + SENTINEL).half_close()
            while connection._more():
                pass
            answers = connection.buffer
        for stream in recorder.take():
            messages, _, left = cut_requests(stream)
            answered = answers.count(b"\r\nX-Echo: ")
            assert left or answered == len(
                messages
            ), f"{data!r} became {stream!r}, was answered {answers!r}"
            came.append(stream)
    assert number / 5 < len(came), f"{len(came)} of {number} came through"
    passed["wrong"] = came
    return came


def misread(reader: Reader, stream: bytes) -> bool:
    """Whether the reader is known to read what is in the stream wrongly."""
    head = re.search(rb"(?i)HEAD .* HTTP/1", stream)
    return "content of HEAD" in reader.errs and head is not None


def compare_wrong(reader: Reader, came: list[bytes], is_server: bool) -> None:
    """Whatever it is that came out: the reader sees the same messages, as far as it reads."""
    understood = 0
    for stream in came:
        messages, _, left = cut_requests(stream)
        # A server would wait for the rest.
        if misread(reader, stream) or (is_server and left):
            continue
        expected = [reader.sees(one) for one in [*messages, *([END_SEEN] if is_server else [])]]
        found = reader.read(stream)
        what = f"{reader.name} of {stream!r}"
        same([b if isinstance(a, Refused) else a for a, b in zip(found, expected, strict=False)],
             expected[: len(found)], what)  # fmt: skip
        assert len(found) <= len(expected), f"{what}: {found}"
        if len(found) < len(expected):
            # It looks no further, or closes its connection.
            ends = found and (isinstance(found[-1], Refused) or b" HTTP/1.0\r\n" in stream)
            assert ends or b"xpect:" in stream, f"{what}: {found}"
        understood += len(found) == len(expected)
    assert understood * 4 > len(came), f"{reader.name} understands {understood} of {len(came)}"


@pytest.mark.parametrize("name", LIBRARIES)
def test_wrong_requests_in_libraries(client: Client, recorder: Recorder, name: str) -> None:
    """Requests with something wrong: what of them goes on has one meaning."""
    compare_wrong(library(name), sent_wrong(client, recorder), is_server=False)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_wrong_requests_in_servers(client: Client, recorder: Recorder, kind: Kind) -> None:
    """The same, to whole servers."""
    came = sent_wrong(client, recorder)
    with running(kind, SERVERS[2], server_address(3)) as reader:
        compare_wrong(reader, came, is_server=True)
