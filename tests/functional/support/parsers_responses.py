# SPDX-License-Identifier: GPL-2.0
"""Clients' readers of responses: h11, Python's own, http_parser, llhttp, aiohttp's and curl. A
message's method is here its status; interim responses are messages, too."""

import asyncio
import http.client
import io
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
import httptools
from aiohttp import http_exceptions, http_parser
from aiohttp.base_protocol import BaseProtocol

from support.netns import Netns
from support.parsers import Message, Reading, Refused, named
from support.parsers_requests import ROOM, text
from support.raw_server import Peer, RawServer


@dataclass(frozen=True)
class ResponseReader:
    """Someone who reads the responses to requests with some methods, after which the other end
    closes."""

    name: str
    read: Callable[[bytes, list[str]], Reading]
    # It can be told that there is no body because the method is HEAD.
    knows_head: bool = True
    # What it may refuse a response for.
    declines: frozenset[str] = frozenset()
    # What it is known to read wrongly, against the RFC.
    errs: frozenset[str] = frozenset()

    def reads(self, method: str, oddities: frozenset[str]) -> bool:
        """Whether it is to read such a response as it was meant, if it does not refuse it."""
        return self.knows(method) and not oddities & self.errs

    def knows(self, method: str) -> bool:
        """Whether it can be told what the response to this method is like."""
        return self.knows_head or method != "HEAD"


def h11_responses(stream: bytes, methods: list[str]) -> Reading:
    found: Reading = []
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=ROOM)
    connection.receive_data(stream)
    connection.receive_data(b"")
    try:
        for method in methods:
            if found:
                connection.start_next_cycle()
            request = h11.Request(method=method, target="/", headers=[("Host", "test")])
            connection.send(request)
            connection.send(h11.EndOfMessage())
            body = b""
            while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.InformationalResponse):
                    found.append(Message("", str(event.status_code), b"", b""))
                elif isinstance(event, h11.Response):
                    status = str(event.status_code)
                    ident = named(*(value for name, value in event.headers if name == b"x-id"))
                else:
                    return found
            found.append(Message(ident, status, b"", body))
    except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
        return [*found, Refused(repr(error))]
    trailing, _ = connection.trailing_data
    return [*found, Refused(f"more: {trailing!r}")] if trailing else found


class Stream(io.BytesIO):
    """What http.client takes for a socket."""

    def makefile(self, _mode: str) -> "Stream":
        return self

    def close(self) -> None:
        """There may be another response in it."""


def python_responses(stream: bytes, methods: list[str]) -> Reading:
    found: Reading = []
    source = Stream(stream)
    try:
        for method in methods:
            while True:
                response = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]
                response.begin()
                body = response.read()
                idents = response.headers.get_all("X-Id", [])
                ident = named(*(one.encode("latin-1") for one in idents))
                found.append(Message(ident, str(response.status), b"", body))
                if response.status >= 200:
                    break
    except http.client.HTTPException as error:
        return [*found, Refused(repr(error))]
    rest = source.read()
    return [*found, Refused(f"more: {rest!r}")] if rest else found


class Collector:
    """What httptools reports, put together."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.found: Reading = []

    def on_message_begin(self) -> None:
        self.body, self.idents, self.open = b"", [], True

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-id":
            self.idents.append(value)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.open = False
        ident = named(*self.idents)
        self.found.append(Message(ident, str(self.parser.get_status_code()), b"", self.body))


def httptools_responses(stream: bytes, _methods: list[str]) -> Reading:
    collector = Collector()
    try:
        collector.parser.feed_data(stream)
    except httptools.HttpParserError as error:
        return [*collector.found, Refused(repr(error))]
    if collector.open:
        # It is not told of the end.
        collector.on_message_complete()
    return collector.found


class AiohttpReader:
    """One of aiohttp's two parsers."""

    def __init__(self, parser_class: Any) -> None:
        self.parser_class = parser_class

    def __call__(self, stream: bytes, _methods: list[str]) -> Reading:
        loop = asyncio.new_event_loop()
        try:
            parser = self.parser_class(
                BaseProtocol(loop), loop, ROOM, max_line_size=ROOM, max_field_size=ROOM,
                payload_exception=http_exceptions.BadHttpMessage, auto_decompress=False,
                read_until_eof=True,
            )  # fmt: skip
            messages, _, rest = parser.feed_data(stream)
            parser.feed_eof()
        except http_exceptions.HttpProcessingError as error:
            return [Refused(repr(error))]
        finally:
            loop.close()
        found: Reading = []
        for head, payload in messages:
            if payload.exception() is not None:
                return [*found, Refused(repr(payload.exception()))]
            body = b"" if payload is http_parser.EMPTY_PAYLOAD else payload.read_nowait(-1)
            ident = named(*map(text, head.headers.getall("X-Id", [])))
            found.append(Message(ident, str(head.code), b"", body))
        return [*found, Refused(f"more: {rest!r}")] if rest else found


class Curl:
    """curl, sent the responses by a server that knows them."""

    PORT = 8102

    def __init__(self, namespace: Netns, address: str) -> None:
        self.namespace = namespace
        self.address = address

    def __call__(self, raw: list[tuple[str, str, bytes, bool]]) -> list[tuple[str, str, bytes]]:
        """Requests what is given as name, method, response, and whether its end is the
        connection's. Returns name, status and body of each as curl sees them."""
        known = {f"/{ident}": (data, closes) for ident, _, data, closes in raw}

        def script(peer: Peer) -> None:
            while head := peer.head():
                assert not peer.buffer
                data, closes = known[head.decode().split(" ")[1]]
                peer.send(data)
                if closes:
                    return

        server = RawServer(self.namespace, self.address, self.PORT, script)
        top = Path(tempfile.mkdtemp(prefix="curl-"))
        try:
            config = "next\n".join(
                f'url = "http://{server.address}/{ident}"\nhttp1.1\nsilent\ngloboff\n'
                f'output = "{top}/{ident}"\nwrite-out = "%{{http_code}} %header{{x-id}}\\n"\n'
                + {"HEAD": "head\n", "POST": 'request = "POST"\n'}.get(method, "")
                for ident, method, _, _ in raw
            )
            (top / "config").write_text(config)
            lines = self.namespace.run("curl", "-K", str(top / "config"), check=False).stdout
            return [
                (line.split(" ")[1], line.split(" ")[0], self._body(top / ident, method))
                for line, (ident, method, _, _) in zip(lines.splitlines(), raw, strict=True)
            ]
        finally:
            server.close()
            shutil.rmtree(top)

    @staticmethod
    def _body(file: Path, method: str) -> bytes:
        return b"" if method == "HEAD" or not file.exists() else file.read_bytes()


READERS = [
    ResponseReader("h11", h11_responses, declines=frozenset({"odd extension"})),
    ResponseReader(
        "python",
        python_responses,
        # It looks for chunks where there are none.
        errs=frozenset({"framing of a 304"}),
    ),
    ResponseReader(
        "http_parser",
        httptools_responses,
        knows_head=False,
        declines=frozenset({"odd extension"}),
        # That a 304 has no body is for its user to say; Transfer-Encodings is not what it says.
        errs=frozenset({"framing of a 304", "longer name"}),
    ),
    ResponseReader(
        "llhttp",
        AiohttpReader(http_parser.HttpResponseParserC),
        knows_head=False,
        declines=frozenset({"odd extension"}),
    ),
    ResponseReader(
        "aiohttp",
        AiohttpReader(http_parser.HttpResponseParserPy),
        knows_head=False,
        declines=frozenset({"odd extension", "trailers"}),
    ),
]
