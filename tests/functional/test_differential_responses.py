# SPDX-License-Identifier: GPL-2.0
"""Responses that the director passes on mean the same to everyone: clients of other make see them
begin and end where they were meant to, and what is left of wrong ones where we see it.

KTCPVS_SEED and KTCPVS_COUNT say what is made, and how much of it.
"""

import errno
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.client import Client
from support.director import Director
from support.grammar import count, pieces, seed
from support.grammar_odd import mutated
from support.grammar_responses import Response, exchanges, responses
from support.parsers import Message, Refused, cut_responses, same
from support.raw_server import Peer
from support.topology import SERVERS, server_address

if TYPE_CHECKING:
    from support.parsers_responses import ResponseReader

# Readers of support.parsers_responses, which loads much: not before it is needed.
LIBRARIES = ["h11", "python", "http_parser", "llhttp", "aiohttp"]

# A response that is right.
RIGHT = b"HTTP/1.1 200 OK\r\nX-Id: sentinel\r\nContent-Length: 2\r\n\r\nok"
RIGHT_SEEN = Message("sentinel", "200", b"", b"ok")

# What has gone through the director, read by all, one after another.
passed: list[tuple[Response, bytes]] = []


def meant(response: Response) -> list[Message]:
    """What the response is to be taken for, with the interim ones before it."""
    final = Message(response.ident, str(response.status), b"", response.body)
    return [*(Message("", str(one), b"", b"") for one in response.interim), final]


@pytest.fixture
def came(director: Director, client: Client, raw_server) -> list[tuple[Response, bytes]]:
    """Responses that were sent, and the bytes that came."""
    if passed:
        return passed
    chance = random.Random(seed())
    made = responses(chance, count(300))
    known = {response.ident: response for response in made}
    plans = {
        one.ident: [(piece, chance.random() < 0.05) for piece in pieces(chance, one.data, 20)]
        for one in made
    }

    def script(peer: Peer) -> None:
        while head := peer.head():
            ident = head.decode().split(" ")[1][1:]
            for piece, pause in plans[ident]:
                peer.send(piece)
                if pause:
                    time.sleep(0.002)
            if known[ident].closes:
                return

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    got: list[tuple[Response, bytes]] = []
    for group in exchanges(made, 20):
        with client.connect() as connection:
            connection.send(b"".join(response.request for response in group)).half_close()
            stream = connection.rest()
        messages, raw, left = cut_responses(stream, [response.method for response in group])
        assert left == b"", f"{left!r} comes behind {group}"
        for response, mine, data in zip(group, messages, raw, strict=True):
            same(mine, meant(response), f"{data!r}, which was {response.data!r}")
        got += zip(group, raw, strict=True)
    passed.extend(got)
    return passed


def library(name: str) -> "ResponseReader":
    from support.parsers_responses import READERS

    (reader,) = (one for one in READERS if one.name == name)
    return reader


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries(came: list[tuple[Response, bytes]], name: str) -> None:
    """Responses as clients' libraries read them."""
    reader = library(name)
    wanted = [
        (one, data)
        for one, data in came
        if reader.reads(one.method, one.oddities) and not one.oddities & reader.declines
    ]
    assert len(wanted) * 10 > len(came) * 6
    for group in exchanges([one for one, _ in wanted], 20):
        part, wanted = wanted[: len(group)], wanted[len(group) :]
        found = reader.read(b"".join(data for _, data in part), [one.method for one in group])
        expected = [message for one in group for message in meant(one)]
        same(found, expected, f"{reader.name} of {[data[:2000] for _, data in part]}")


@pytest.mark.parametrize("name", ["h11", "http_parser", "llhttp", "aiohttp"])
def test_what_is_declined(came: list[tuple[Response, bytes]], name: str) -> None:
    """What a library may not want, it refuses or reads as it was meant."""
    reader = library(name)
    looked_at = 0
    for one, data in came:
        if one.oddities & reader.declines and reader.reads(one.method, one.oddities):
            looked_at += 1
            found = reader.read(data, [one.method])
            expected = meant(one)
            if found and isinstance(found[-1], Refused):
                expected = expected[: len(found) - 1]
                found = found[:-1]
            same(found, expected, f"{reader.name} of {data!r}")
    assert looked_at or len(came) < 200


@pytest.mark.parametrize("name", ["python", "http_parser"])
def test_what_is_misread(came: list[tuple[Response, bytes]], name: str) -> None:
    """What a library is not asked for, since it reads it wrongly, it does read wrongly."""
    reader = library(name)
    assert reader.errs
    for what in reader.errs:
        readings = [
            reader.read(data + RIGHT, [one.method, "GET"]) == [*meant(one), RIGHT_SEEN]
            for one, data in came
            if what in one.oddities and reader.knows(one.method) and not one.until_close
        ]
        assert not all(readings) or len(came) < 200, f"{name} may be asked for: {what}"


def test_curl(came: list[tuple[Response, bytes]]) -> None:
    """Responses as curl reads them."""
    from support.parsers_responses import Curl

    curl = Curl(SERVERS[2], server_address(3))
    seen = curl([(one.ident, one.method, data, one.until_close) for one, data in came])
    for (one, data), found in zip(came, seen, strict=True):
        expected = (one.ident, str(one.status), one.body)
        assert found == expected, f"curl of {data!r}"


@dataclass
class Wrong:
    """What came of a response with something wrong, and of a right one behind it."""

    methods: list[str]
    stream: bytes
    messages: list[Message]


# What is behind a wrong response, if anything is.
SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: test\r\n\r\n"

# How a connection that is cut off says so.
CUT = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)

# What came of all of them, read by all, one after another.
wrong: list[Wrong] = []


@pytest.fixture
def came_wrong(director: Director, client: Client, raw_server) -> list[Wrong]:
    """All that came of wrong responses and was not cut off. It is valid."""
    if wrong:
        return wrong
    chance = random.Random(f"wrong {seed()}")
    made = responses(chance, count(400))
    sent = {one.ident: mutated(chance, one.data) for one in made}

    def script(peer: Peer) -> None:
        while head := peer.head():
            ident = head.decode().split(" ")[1][1:]
            peer.send(sent.get(ident, RIGHT))
            # What ends too early shall not be waited for.
            if ident in sent:
                return

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    passed_on = 0
    for one in made:
        with client.connect() as connection:
            try:
                connection.send(one.request + SENTINEL).half_close()
                stream = connection.rest()
            except OSError as error:
                # It may be cut off before all is said.
                assert error.errno in CUT, error
                continue
        methods = [one.method, "GET"]
        groups, _, left = cut_responses(stream, methods)
        assert groups and left == b"", f"{stream!r} of {sent[one.ident]!r}"
        messages = [message for group in groups for message in group]
        wrong.append(Wrong(methods[: len(groups)], stream, messages))
        passed_on += groups[0][-1].method != "502"
    assert len(made) > passed_on > len(made) / 5
    return wrong


def may_misread(reader: "ResponseReader", one: Wrong) -> bool:
    """Whether the reader is known to read what is in the stream wrongly."""
    oddities = set()
    if one.messages[0].method == "304":
        oddities.add("framing of a 304")
    if b"ransfer-Encodings" in one.stream:
        oddities.add("longer name")
    return not reader.reads(one.methods[0], frozenset(oddities))


@pytest.mark.parametrize("name", LIBRARIES)
def test_wrong_responses(came_wrong: list[Wrong], name: str) -> None:
    """Responses with something wrong: what of them goes on has one meaning, if any."""
    reader = library(name)
    understood = 0
    for one in came_wrong:
        if may_misread(reader, one):
            continue
        found = reader.read(one.stream, one.methods)
        expected = one.messages
        if found and isinstance(found[-1], Refused):
            found = found[:-1]
            expected = expected[: len(found)]
        else:
            understood += 1
        same(found, expected, f"{reader.name} of {one.stream!r}")
    assert understood * 3 > len(came_wrong)
