# SPDX-License-Identifier: GPL-2.0
"""What is measured: each case is one kind of traffic through one configuration."""

from dataclasses import dataclass, replace

# The server's ports: head and body of a response apart in two packets, or together in one.
APART = 80
TOGETHER = 81

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Case:
    """One case.

    The fields on the director's side (rules to schedulers) mean the same for every system that
    can do it; what one cannot do it leaves out.
    """

    name: str
    # What is asked for.
    target: str = "/small"
    host: str = "bench"
    connections: int = 16
    server_port: int = APART
    # Bytes of the request's body.
    upload: int = 0
    # Every request on a connection of its own.
    close: bool = False
    # Bytes of a response that are counted instead of requests, where these are too few.
    bulk: int = 0
    # How many rules by regular expression, or by host, of which the last matches.
    regexes: int = 0
    hosts: int = 0
    servers: int = 1
    scheduler: str = "rr"
    # A cookie is inserted that binds the client to its server.
    cookie: bool = False
    # X-Forwarded-For is added.
    headers: bool = False
    # How long is measured, in guest seconds.
    seconds: float = 1.0

    def traffic(self) -> "Case":
        """The same traffic without a director: what is the same for many cases."""
        return Case(
            "",
            target=self.target,
            host=self.host,
            connections=self.connections,
            server_port=self.server_port,
            upload=self.upload,
            close=self.close,
            bulk=self.bulk,
            seconds=self.seconds,
        )

    def layer4(self) -> bool:
        """Whether a Layer-4 balancer can do it."""
        return not (self.regexes or self.hosts or self.cookie or self.headers)


def regex(n: int) -> str:
    """The regular expression of rule number `n`."""
    return f"^/app{n:05}/[a-z]+\\.html$"


def host_name(n: int) -> str:
    return f"h{n:05}.example.org"


def by_regex(count: int) -> Case:
    return Case(f"rules-{count}", target=f"/app{count - 1:05}/page.html", regexes=count)


def by_host(count: int) -> Case:
    return Case(f"hosts-{count}", host=host_name(count - 1), hosts=count)


def by_servers(count: int) -> list[Case]:
    """A pool of `count` servers, under each scheduler."""
    plain = Case(f"servers-{count}", servers=count)
    return [plain] + [
        replace(plain, name=f"servers-{count}-{scheduler}", scheduler=scheduler)
        for scheduler in ("wrr", "lc", "wlc", "sh")
    ]


CASES = [
    Case("small-apart-c1", connections=1),
    Case("small-apart-c16"),
    Case("small-apart-c256", connections=256),
    Case("small-together-c16", server_port=TOGETHER),
    Case("1k", target="/1k", server_port=TOGETHER),
    Case("16k", target="/16k", server_port=TOGETHER),
    Case("1m", target="/1m", bulk=MIB),
    Case("16m", target="/16m", bulk=16 * MIB, connections=4, seconds=2),
    Case("upload-1m", target="/upload", upload=MIB, bulk=MIB),
    Case("close", close=True),
    by_regex(1),
    by_regex(1000),
    by_regex(10000),
    by_host(10000),
    *by_servers(1),
    *by_servers(100),
    *by_servers(10000),
    Case("cookie", cookie=True),
    Case("headers", headers=True),
]


def chosen(names: list[str]) -> list[Case]:
    """The cases of these names, or all. A name with a `*` at its end stands for many."""
    if not names:
        return CASES
    for name in names:
        if not any(matches(name, case) for case in CASES):
            known = " ".join(case.name for case in CASES)
            raise SystemExit(f"bench: there is no case '{name}'; there are {known}")
    return [case for case in CASES if any(matches(name, case) for name in names)]


def matches(name: str, case: Case) -> bool:
    if name.endswith("*"):
        return case.name.startswith(name[:-1])
    return case.name == name
