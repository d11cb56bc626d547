# SPDX-License-Identifier: GPL-2.0
"""What happens in a storm: faults that last for a while, and changes of configuration.

One thread does what is quick, and ends what is to end. What takes long is done by others
meanwhile.
"""

import heapq
import itertools
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from support.director import Director
from support.pace import PACE
from support.storm import ECHO, EVERYTHING, Diary, Trouble
from support.storm_config import Changes, Wanted
from support.storm_doomed import live_and_die
from support.storm_hosts import Device, Host
from support.storm_servers import EACH, Server

# How long a fault lasts at least, in seconds: a server that stands still for less misses nothing;
# and at most: longer than any time-out. Most are short.
SHORTEST, LONGEST = 0.02, 4.0
SHORTNESS = 25

# How long a link that is up again may go on losing what is sent, in seconds: the kernel looks after
# such links once a second.
LINKWATCH = 1.2 * PACE

# How soon what was not over yet is looked at again, in seconds.
SOON = 0.01


class Storm:
    """Makes things happen, and writes them down."""

    def __init__(
        self,
        troubled: list[Server],
        calm: list[Server],
        hosts: tuple[list[Host], list[Host]],
        seed: int,
    ) -> None:
        self.servers = troubled
        self.hosts, self.far = hosts
        self.seed = seed
        self.choices = random.Random(seed)
        self.diary = Diary()
        self.director = Director()
        self.wanted = Wanted(random.Random(f"{seed} configuration"), troubled, calm)
        # Held by who changes the configuration, or the module.
        self.loaded = threading.Lock()
        # What is to end: when, which (to have an order), and how, which may take more than once.
        self.ends: list[tuple[float, int, Callable[[], bool]]] = []
        self.order = 0
        # Whom something happens to that excludes other things.
        self.victims: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.workers = {name: ThreadPoolExecutor(1) for name in ("apply", "change", "namespace")}
        self.running: dict[str, Future] = {}
        self.director.apply(self.wanted.text())
        self.changes = Changes(self.wanted)
        self.away: Trouble | None = None
        # By server, the connections that it had when they were last asked for.
        self.accepted: dict[int, list[bytes]] = {}
        # Whether the counters have begun anew since this was last set to false.
        self.reloaded = False
        self.weighted: list[tuple[float, str, Callable[[], bool]]] = [
            (36, "reset", self.reset),
            (50, "pause", self.pause),
            (3, "link", self.cut),
            (2.5, "kill", self.kill),
            (4, "weight", lambda: self.change(self.changes.weigh)),
            (3, "member", lambda: self.change(self.changes.member)),
            (1.5, "scheduler", lambda: self.change(self.changes.schedule)),
            (1.5, "listener", lambda: self.change(self.changes.listen)),
            (1.5, "time-out", lambda: self.change(self.changes.expire)),
            (2, "service", self.come_and_go),
            (0.4, "apply", self.apply),
            (0.3, "namespace", self.namespace),
        ]
        self.upto = list(itertools.accumulate(weight for weight, _, _ in self.weighted))

    @property
    def happened(self) -> int:
        return sum(self.counts.values())

    def event(self) -> None:
        """Something happens. What cannot be just now is not counted."""
        ((_, name, event),) = self.choices.choices(self.weighted, cum_weights=self.upto)
        if event():
            self.counts[name] += 1

    def tend(self, all_of_it: bool = False) -> None:
        """Ends what is to end by now."""
        due = float("inf") if all_of_it else time.monotonic()
        again = []
        while self.ends and self.ends[0][0] <= due:
            _, order, end = heapq.heappop(self.ends)
            if not end():
                again.append((time.monotonic() + SOON, order, end))
        for one in again:
            heapq.heappush(self.ends, one)
        for name, future in list(self.running.items()):
            if future.done():
                del self.running[name]
                future.result()

    def heal(self) -> None:
        """Ends everything."""
        deadline = time.monotonic() + 60 * PACE
        while self.ends or self.running:
            assert time.monotonic() < deadline, f"it does not end: {self.ends}, {self.running}"
            self.tend(all_of_it=True)
            time.sleep(SOON)

    def stop(self) -> None:
        """After this nothing happens any more."""
        self.heal()
        for worker in self.workers.values():
            worker.shutdown()
        self.changes.detach()

    def then(self, after: float, end: Callable[[], bool]) -> None:
        """Does this later, until it is done."""
        self.order += 1
        heapq.heappush(self.ends, (time.monotonic() + after, self.order, end))

    def duration(self) -> float:
        return max(SHORTEST, LONGEST * self.choices.random() ** SHORTNESS)

    def over(self, trouble: Trouble, *victims: str, after: float = ECHO) -> bool:
        self.diary.close(trouble, after)
        self.victims.subtract(victims)
        return True

    def change(self, how: Callable[[], None]) -> bool:
        """The configuration changes. Nobody may notice. The module waits until nobody uses what
        was, and who asked for it waits for the module."""

        def work() -> None:
            with self.loaded:
                how()

        return not self.loaded.locked() and self.slowly("change", work)

    def come_and_go(self) -> bool:
        """A service is deleted, or added again."""

        def how() -> None:
            if self.away is None:
                self.away = self.diary.open("it is deleted", "service guest", cuts=True)
                self.wanted.guest = False
                self.changes.leave()
            else:
                self.changes.enter()
                self.wanted.guest = True
                self.diary.close(self.away)
                self.away = None

        return self.change(how)

    def reset(self) -> bool:
        """A connection of a server is reset."""
        server = self.choices.choice(self.servers)
        host = self.hosts[server.number // EACH]
        # A reset that is lost would be felt much later. And the kernel warns of a connection that
        # is ended twice at once before anyone has accepted it: a listener's end does that, too.
        if self.victims[host.scope] or self.victims[f"dying on {host.scope}"]:
            return False
        names = self.accepted.setdefault(server.number, [])
        if not names:
            names += host.accepted(server.port)
            self.choices.shuffle(names)
        if not names:
            return False
        trouble = self.diary.open("a connection is reset", server.scope, cuts=True)
        there = host.reset(names.pop())
        if not there:
            # The others have been known for as long.
            names.clear()
        self.over(trouble, after=ECHO if there else 0)
        return there

    def kill(self) -> bool:
        """A server dies, and comes back."""
        server = self.choices.choice(self.servers)
        host = self.hosts[server.number // EACH]
        # What its connections end with must not be lost.
        if self.victims[host.scope] or self.victims[server.scope]:
            return False
        self.victims.update([server.scope, f"dying on {host.scope}"])
        after = self.duration() / 4
        trouble = self.diary.open("the server is killed", server.scope, cuts=True)
        server.kill()

        def died() -> bool:
            if not server.dead():
                return False
            self.victims.subtract([f"dying on {host.scope}"])
            self.then(after, begun)
            return True

        def begun() -> bool:
            server.start()
            self.then(SOON, ready)
            return True

        def ready() -> bool:
            return server.ready() and self.over(trouble, server.scope)

        self.then(0, died)
        return True

    def pause(self) -> bool:
        """A server stands still."""
        server = self.choices.choice(self.servers)
        if self.victims[server.scope]:
            return False
        self.victims[server.scope] += 1
        trouble = self.diary.open("the server stands still", server.scope, cuts=False)
        server.signal(signal.SIGSTOP)

        def end() -> bool:
            server.signal(signal.SIGCONT)
            return self.over(trouble, server.scope)

        self.then(self.duration(), end)
        return True

    def cut(self) -> bool:
        """A link passes nothing, or little."""
        host = self.choices.choice([*self.hosts, *self.far])
        device: Device = self.choices.choice([host.near, host.far])
        kind = self.choices.choice(["all", "all", "some", "down"])
        # Who is up again has forgotten its routes and neighbours; a port of a bridge has none.
        if kind == "down" and (host in self.far or device is host.far):
            kind = "all"
        victim = f"{device.namespace.name} {device.name}"
        if self.victims[victim] or self.victims[f"dying on {host.scope}"]:
            return False
        self.victims.update([victim, host.scope])
        what = {"all": "loses all", "some": "loses packets", "down": "is down"}[kind]
        # Whoever has a packet to send to a link that is down may be told at once.
        trouble = self.diary.open(f"{victim} {what}", host.scope, cuts=kind == "down")
        began = time.monotonic()
        if kind == "down":
            device.up(False)
        else:
            device.lose(1.0 if kind == "all" else 0.3)

        def passes() -> bool:
            # The time-outs of what was lost meanwhile double, so that the last one may take as
            # long as all that.
            after = ECHO + (time.monotonic() - began)
            return self.over(trouble, victim, host.scope, after=after)

        def end() -> bool:
            if kind != "down":
                device.lose(0)
                return passes()
            device.up(True)
            # The other end hears of it when the kernel comes round to it.
            self.then(LINKWATCH, passes)
            return True

        self.then(self.duration(), end)
        return True

    def slowly(self, name: str, what: Callable[[], None]) -> bool:
        """Something that another thread does."""
        if name in self.running:
            return False
        self.running[name] = self.workers[name].submit(what)
        return True

    def namespace(self) -> bool:
        """A namespace comes, serves and dies. Nobody else may notice."""
        choices = random.Random(f"{self.seed} {self.happened}")
        return self.slowly("namespace", lambda: live_and_die(choices, self.loaded))

    def apply(self) -> bool:
        """Another configuration is put in force. Nobody may notice."""

        def work() -> None:
            with self.loaded:
                self.wanted.shuffle()
                self.director.apply(self.wanted.text())

        return self.slowly("apply", work)

    def reload(self) -> bool:
        """The module is unloaded, loaded and told what to do."""

        def work() -> None:
            with self.loaded:
                trouble = self.diary.open("the module is not there", EVERYTHING, cuts=True)
                self.reloaded = True
                self.changes.detach()
                self.director.unload()
                self.director.load()
                self.director.apply(self.wanted.text())
                self.changes.attach()
                self.diary.close(trouble)

        if not self.slowly("apply", work):
            return False
        self.counts["reload"] += 1
        return True
