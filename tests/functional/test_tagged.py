# SPDX-License-Identifier: GPL-2.0
"""Many clients send right and wrong pipelines through shared connections to servers that are slow,
close and err: no server sees a request that no client sent, and no client sees the response to
another request. Requests and responses are marked throughout, and both ends look.

KTCPVS_SEED and KTCPVS_COUNT say what is sent, and how much of it.
"""

import queue
import random
import threading
from collections.abc import Iterator

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.grammar import count, seed
from support.pace import PACE
from support.tagged import Pipeline, pipeline
from support.tagged_ends import Player, Seen, Server

# How many clients there are at once, and how many pipelines they send.
CLIENTS = 8
PIPELINES = 1500 // PACE


@pytest.fixture
def seen(director: Director, raw_server, request: pytest.FixtureRequest) -> Iterator[Seen]:
    """A service before two pools of servers; hosts say which."""
    seen = Seen()
    made = [raw_server(Server("a", seen), n) for n in (1, 2)] + [raw_server(Server("b", seen), 3)]
    director.apply(
        pool_text("a", made[0].address, made[1].address)
        + pool_text("b", made[2].address)
        + service_text(
            "path-prefix /b/ use-pool b", pool="a", more=(f"forwarded-for {request.param}",)
        )
    )
    yield seen
    for server in made:
        assert not server.failures, server.failures


@pytest.mark.parametrize("seen", ["off", "on"], indirect=True)
def test_everyone_gets_what_is_theirs(client: Client, seen: Seen) -> None:
    """Every response is its request's, and every request was sent, once."""
    chance = random.Random(seed())
    waiting: queue.SimpleQueue[Pipeline] = queue.SimpleQueue()
    total = count(PIPELINES)
    for n in range(total):
        waiting.put(pipeline(chance, n))
    failures: list[Exception] = []

    def work(player: Player) -> None:
        while not failures:
            try:
                player.play(waiting.get_nowait())
            except queue.Empty:
                return
            except Exception as failure:
                failures.append(failure)

    players = [Player(client) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=work, args=(player,), daemon=True) for player in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    answered = [ident for player in players for ident in player.answered]
    failed = [ident for player in players for ident in player.failed]
    never = {ident for player in players for ident in player.never}
    print(f"{len(answered)} answered, {len(failed)} failed, {len(seen.times)} seen,")
    print(f"{seen.shared} connections were shared")
    played = sum(player.played for player in players)
    assert played == total
    assert seen.shared * 10 > total or total < 200
    assert len(answered) == len(set(answered)) > played
    assert len(failed) * 20 < len(answered), failed
    assert not never & seen.times.keys()
    early = {ident for player in players for ident in player.early}
    unseen = set(answered) - early - seen.times.keys()
    assert not unseen
    twice = {ident for ident, times in seen.times.items() if times > 1} - seen.dropped
    assert not twice
