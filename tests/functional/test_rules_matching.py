# SPDX-License-Identifier: GPL-2.0
"""What conditions look at, at their edges, and how they go together."""

import pytest
from support.client import Client
from support.config import service_text
from support.director import Director


def request(
    target: str = "/", host: str = "test", method: str = "GET", fields: tuple[str, ...] = ()
) -> bytes:
    """A request with these fields."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


# A rule's conditions, requests that meet them, and requests that do not.
CASES = {
    "path-exact": (
        "path /a",
        [request("/a"), request("/a?"), request("/a?b=/c")],
        [request("/A"), request("/a/"), request("/"), request("/aa")],
    ),
    "path-of-the-absolute-form": (
        "path /a",
        [request("http://test/a"), request("http://test:80/a?x")],
        [request("http://test/b"), request("http://test")],
    ),
    "path-prefix-of-all": ("path-prefix /", [request("/"), request("/?"), request("/x/y")], []),
    "path-suffix-before-the-query": (
        "path-suffix .png",
        [request("/x.png"), request("/.png?v=1")],
        [request("/x.jpg?as=.png"), request("/png"), request("/x.PNG")],
    ),
    "path-regex-unanchored": (
        "path-regex 'a[0-9]{2,3}b'",
        [request("/xa12by"), request("/a123b")],
        [request("/a1b"), request("/a1234b"), request("/?a12b")],
    ),
    "path-regex-alternatives": (
        r"path-regex '^/(images|img)/.*\.(png|jpe?g)$'",
        [request("/img/x.png"), request("/images/a/b.jpg"), request("/img/.jpeg?x")],
        [request("/im/x.png"), request("/img/x.png.gz"), request("/x/img/x.png")],
    ),
    "path-regex-without-case": (
        "path-regex '(?i)^/admin'",
        [request("/Admin"), request("/ADMIN/x")],
        [request("/x/admin")],
    ),
    "url-exact": ("url /a?b=c", [request("/a?b=c")], [request("/a"), request("/a?b=cc")]),
    "url-prefix": ("url-prefix /a?b", [request("/a?bc")], [request("/a"), request("/a?c")]),
    "url-suffix": ("url-suffix =1", [request("/?x=1"), request("/x=1")], [request("/x=1?y")]),
    "host-exact": (
        "host www.example.org",
        [request(host="www.example.org"), request(host="WWW.Example.ORG:8080")],
        [request(host="www.example.org.evil"), request(host="example.org"), request(host="")],
    ),
    "host-of-the-absolute-form": (
        "host www.example.org",
        [request("http://www.example.org/", host="www.example.org")],
        [request("http://other.example.org/", host="other.example.org")],
    ),
    "host-wildcard": (
        "host *.example.org",
        [request(host="a.example.org"), request(host="A.B.EXAMPLE.org:1")],
        [request(host="example.org"), request(host="aexample.org"), request(host=".example.com")],
    ),
    "host-prefix": ("host-prefix www.", [request(host="WWW.x")], [request(host="ww.x")]),
    "host-suffix": ("host-suffix .test", [request(host="a.TEST:80")], [request(host="test")]),
    "host-address": ("host [::1]", [request(host="[::1]:80")], [request(host="[::2]:80")]),
    "method": (
        "method DELETE",
        [request(method="DELETE")],
        [request(method="GET"), request(method="delete"), request(method="DELETED")],
    ),
    "method-regex": (
        "method-regex '^(GET|HEAD)$'",
        [request()],
        [request(method="OPTIONS"), request(method="FORGET")],
    ),
    "header": (
        "header X-Kind=new",
        [request(fields=("x-KIND:new",)), request(fields=("X-Kind: \t new \t",))],
        [request(fields=("X-Kind: New",)), request(fields=("X-Kinds: new",)), request()],
    ),
    "header-any-of-several": (
        "header X-Kind=new",
        [request(fields=("X-Kind: old", "X-Kind: new")), request(fields=("X-Kind: new",) * 2)],
        [request(fields=("X-Kind: old", "X-Kind: older"))],
    ),
    "header-regex": (
        r"header-regex 'Accept-Language=^(de|at)\b'",
        [request(fields=("Accept-Language: de-CH, en",))],
        [request(fields=("Accept-Language: en, de",)), request(fields=("Accept: de",))],
    ),
    "header-prefix": (
        "header-prefix Accept=text/",
        [request(fields=("Accept: text/html",))],
        [request(fields=("Accept: */*",))],
    ),
    "cookie": (
        "cookie kind=new",
        [
            request(fields=("Cookie: kind=new",)),
            request(fields=("Cookie: a=b; kind=new; c=d",)),
            request(fields=("Cookie: a=b", "Cookie: kind=new")),
        ],
        [
            request(fields=("Cookie: kind=newer",)),
            request(fields=("Cookie: xkind=new",)),
            request(fields=("Cookie: Kind=new",)),
            request(fields=("Cookie: a=kind=new",)),
        ],
    ),
    "cookie-regex": (
        "cookie-regex 'id=^[0-9]+$'",
        [request(fields=("Cookie: x=y; id=42",))],
        [request(fields=("Cookie: id=4x; x=42",)), request(fields=("Cookie: id=",)), request()],
    ),
    "not-path-regex": (
        "not-path-regex '^/private/'",
        [request("/public"), request("/x/private/")],
        [request("/private/x")],
    ),
    "not-host": ("not-host *.a.b", [request(host="a.b")], [request(host="x.a.b")]),
    "not-method": ("not-method GET", [request(method="OPTIONS")], [request()]),
    "not-header": (
        "not-header X-Kind=new",
        [request(), request(fields=("X-Kind: old",))],
        [request(fields=("X-Kind: new",)), request(fields=("X-Kind: old", "X-Kind: new"))],
    ),
    "not-cookie-regex": (
        "not-cookie-regex 'id=.'",
        [request(), request(fields=("Cookie: id=",))],
        [request(fields=("Cookie: id=1",))],
    ),
    "conjunction": (
        "path-prefix /api/ method POST host *.example.org header X-Key=k not-cookie old=1",
        [request("/api/x", "a.example.org", "POST", ("X-Key: k", "Content-Length: 0"))],
        [
            request("/ap/x", "a.example.org", "POST", ("X-Key: k", "Content-Length: 0")),
            request("/api/x", "example.org", "POST", ("X-Key: k", "Content-Length: 0")),
            request("/api/x", "a.example.org", "GET", ("X-Key: k",)),
            request("/api/x", "a.example.org", "POST", ("X-Key: q", "Content-Length: 0")),
            request("/api/x", "a.example.org", "OPTIONS", ("X-Key: k", "Cookie: old=1")),
        ],
    ),
    "two-of-one-subject": (
        "path-prefix /a path-suffix z not-path-regex '[0-9]'",
        [request("/a/z"), request("/az")],
        [request("/a/1/z"), request("/a"), request("/z")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_edges(director: Director, client: Client, name: str) -> None:
    """A condition is met by what it says, and by nothing that only looks like it."""
    conditions, meeting, missing = CASES[name]
    director.apply(service_text(f"{conditions} status 299", "status 298"))
    for expected, requests in [(299, meeting), (298, missing)]:
        for sent in requests:
            assert (client.raw(sent).status, sent) == (expected, sent)


def test_sixteen_conditions(director: Director, client: Client) -> None:
    """As many conditions as a rule may have: one that does not hold is enough."""
    conditions = " ".join(f"header X-{n}={n}" for n in range(16))
    director.apply(service_text(f"{conditions} status 299", "status 298"))
    fields = tuple(f"X-{n}: {n}" for n in range(16))
    assert client.raw(request(fields=fields)).status == 299
    for n in range(16):
        assert client.raw(request(fields=fields[:n] + fields[n + 1 :])).status == 298
    message = director.refused("rule", "add", "web", *["--path", "/"] * 17, "--status", "299")
    assert "16" in message


def test_each_request_on_its_own(director: Director, client: Client) -> None:
    """A connection's requests are matched one by one, and none remembers the one before."""
    director.apply(
        service_text(
            "cookie a=1 status 291",
            "header X-A=1 status 292",
            "host a.test status 293",
            "path-regex '^/a' status 294",
            "status 295",
        )
    )
    requests = [
        (request(fields=("Cookie: a=1",)), 291),
        (request(fields=("X-A: 1",)), 292),
        (request(host="a.test"), 293),
        (request("/a"), 294),
        (request(), 295),
    ]
    with client.connect() as connection:
        for _ in range(3):
            for sent, status in requests:
                assert connection.send(sent).response().status == status
        # And as one pipeline.
        connection.send(b"".join(sent for sent, _ in requests))
        assert [connection.response().status for _ in requests] == [s for _, s in requests]


def test_no_rule_and_no_pool(director: Director, client: Client) -> None:
    """What no rule matches goes to the pool; where there is none it is answered 503."""
    director.apply(service_text("path /x status 299"))
    assert client.get("/x").status == 299
    assert client.get("/y").status == 503
