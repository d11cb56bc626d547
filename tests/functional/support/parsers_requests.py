# SPDX-License-Identifier: GPL-2.0
"""Servers' readers of requests, as libraries: h11, http_parser, llhttp, and those of aiohttp,
gunicorn and waitress."""

import asyncio
from collections.abc import Iterator
from typing import Any

import h11
import httptools
from aiohttp import http_exceptions, http_parser
from aiohttp.base_protocol import BaseProtocol
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

from support.parsers import Message, Reader, Reading, Refused, named

# What a reader may keep of a message or a head, in bytes: more than any has.
ROOM = 1 << 20


def text(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def h11_requests(stream: bytes) -> Reading:
    found: Reading = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=ROOM)
    connection.receive_data(stream)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                ident = named(*(value for name, value in request.headers if name == b"x-id"))
                method = request.method.decode()
                found.append(Message(ident, method, request.target, body))
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return found
                connection.start_next_cycle()
            else:
                return found
    except h11.RemoteProtocolError as error:
        return [*found, Refused(str(error))]


class Collector:
    """What httptools reports, put together."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.found: Reading = []

    def on_message_begin(self) -> None:
        self.target, self.body, self.idents = b"", b"", []

    def on_url(self, data: bytes) -> None:
        self.target += data

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-id":
            self.idents.append(value)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        ident = named(*self.idents)
        method = self.parser.get_method().decode()
        self.found.append(Message(ident, method, self.target, self.body))


def httptools_requests(stream: bytes) -> Reading:
    found: Reading = []
    while stream:
        collector = Collector()
        try:
            collector.parser.feed_data(stream)
            stream = b""
        except httptools.HttpParserUpgrade as upgrade:
            # As a server goes on that does not know what to upgrade to.
            stream = stream[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            return [*found, *collector.found, Refused(repr(error))]
        found += collector.found
    return found


class AiohttpReader:
    """One of aiohttp's two parsers."""

    def __init__(self, parser_class: Any) -> None:
        self.parser_class = parser_class

    def __call__(self, stream: bytes) -> Reading:
        # What it has found already it does not tell if a later message of what it is fed is bad.
        # Nor does it look at what is behind an upgrade, in the same piece.
        found = self._read([stream])
        if b"upgrade" in stream.lower() or (found and isinstance(found[-1], Refused)):
            return self._read([stream[n : n + 1] for n in range(len(stream))])
        return found

    def _read(self, fed: list[bytes]) -> Reading:
        loop = asyncio.new_event_loop()
        started: list[tuple[Any, Any]] = []
        why = ""
        try:
            parser = self._parser(loop)
            for data in fed:
                while data:
                    messages, upgraded, data = parser.feed_data(data)
                    started += messages
                    if upgraded:
                        parser = self._parser(loop)
        except http_exceptions.HttpProcessingError as error:
            why = repr(error)
        finally:
            loop.close()
        found: Reading = []
        for head, payload in started:
            if payload.exception() is not None:
                return [*found, Refused(repr(payload.exception()))]
            if payload is not http_parser.EMPTY_PAYLOAD and not payload.is_eof():
                break
            body = b"" if payload is http_parser.EMPTY_PAYLOAD else payload.read_nowait(-1)
            ident = named(*map(text, head.headers.getall("X-Id", [])))
            found.append(Message(ident, head.method, text(head.path), body))
        return [*found, Refused(why)] if why else found

    def _parser(self, loop: asyncio.AbstractEventLoop) -> Any:
        return self.parser_class(
            BaseProtocol(loop), loop, ROOM, max_line_size=ROOM, max_field_size=ROOM,
            payload_exception=http_exceptions.BadHttpMessage, auto_decompress=False,
        )  # fmt: skip


def gunicorn_requests(stream: bytes) -> Reading:
    found: Reading = []
    settings = Config()
    settings.set("limit_request_line", 8190)
    settings.set("limit_request_field_size", 0)
    settings.set("permit_unconventional_http_method", True)
    try:
        for request in RequestParser(settings, iter([stream]), ("192.0.2.1", 1)):
            body = request.body.read()
            if getattr(request.body.reader, "length", 0) > 0:
                # The rest of it has not come.
                return found
            values = (value for name, value in request.headers if name == "X-ID")
            ident = named(*(value.encode("latin-1") for value in values))
            found.append(Message(ident, request.method, text(request.uri), body))
    except (NoMoreData, StopIteration):
        return found
    except ParseException as error:
        return [*found, Refused(repr(error))]
    return found


def waitress_requests(stream: bytes) -> Reading:
    found: Reading = []
    settings = Adjustments()
    for parser in waitress_parsers(settings, stream):
        if parser.error:
            return [*found, Refused(f"{parser.error!r} {parser.error.body}")]
        if parser.empty:
            continue
        ident = named(parser.headers.get("X_ID", "").encode("latin-1"))
        body = parser.get_body_stream().read()
        found.append(Message(ident, parser.command, text(parser.request_uri), body))
        if parser.connection_close:
            break
    return found


def waitress_parsers(settings: Adjustments, stream: bytes) -> Iterator[HTTPRequestParser]:
    """One for each whole message."""
    while stream:
        parser = HTTPRequestParser(settings)
        while stream and not parser.completed:
            stream = stream[parser.received(stream) :]
        if parser.completed:
            yield parser


READERS = [
    Reader("h11", h11_requests, frozenset({"odd extension"})),
    Reader(
        "http_parser",
        httptools_requests,
        frozenset({"longer name", "odd extension", "unusual method"}),
    ),
    Reader(
        "llhttp",
        AiohttpReader(http_parser.HttpRequestParserC),
        frozenset({"odd extension", "unusual method"}),
    ),
    Reader(
        "aiohttp",
        AiohttpReader(http_parser.HttpRequestParserPy),
        frozenset({"odd extension"}),
        # As if it were the response to one that has no content.
        errs=frozenset({"content of HEAD"}),
    ),
    Reader("gunicorn", gunicorn_requests),
    Reader("waitress", waitress_requests, frozenset({"odd extension", "unusual method"})),
]
