# SPDX-License-Identifier: GPL-2.0
"""Servers' readers of requests, as whole servers: nginx, Apache, HAProxy and lighttpd. Each passes
on what it has read, in its own words, to a server that tells what that is."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.client import Connection
from support.netns import Netns
from support.pace import PACE
from support.parsers import Message, Reader, Reading, Refused, read_request
from support.raw_server import Peer, RawServer, wait_until

# How long a server may think about what it is sent, in seconds.
PATIENCE = 5

# Where it listens, and the one behind it.
PORT = 8101
TELLER_PORT = 8100

# What a stream ends with, so that the server closes its connection.
END = b"GET /end HTTP/1.1\r\nHost: test\r\nX-Id: end\r\nConnection: close\r\n\r\n"
END_SEEN = Message("end", "GET", b"/end", b"")

NGINX = """
daemon off;
worker_processes 1;
error_log {top}/log crit;
pid {top}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_max_body_size 0;
    large_client_header_buffers 8 32k;
    keepalive_requests 1000000;
    client_body_temp_path {top}/body;
    proxy_temp_path {top}/proxy;
    upstream teller {{ server {teller}; }}
    server {{
        listen {address}:{port};
        location / {{ proxy_pass http://teller; proxy_buffering off; }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    tune.bufsize 65536
    tune.http.maxhdr 256
defaults
    mode http
    timeout connect 30s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
frontend all
    bind {address}:{port}
    default_backend teller
backend teller
    server teller {teller}
"""

APACHE = """
ServerRoot {top}
ServerName test
PidFile {top}/pid
ErrorLog {top}/log
LogLevel crit
Listen {address}:{port}
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LimitRequestLine 16384
LimitRequestFieldSize 16384
MaxKeepAliveRequests 0
KeepAliveTimeout 60
AllowEncodedSlashes NoDecode
MergeSlashes Off
TraceEnable extended
ProxyPass / http://{teller}/ nocanon
"""

LIGHTTPD = """
server.modules = ("mod_proxy")
server.document-root = "{top}"
server.errorlog = "{top}/log"
server.bind = "{address}"
server.port = {port}
server.max-keep-alive-requests = 60000
server.max-request-field-size = 32768
server.max-keep-alive-idle = 60
proxy.server = ("" => (("host" => "{teller_address}", "port" => {teller_port})))
"""


@dataclass(frozen=True)
class Kind:
    """A server program."""

    name: str
    config: str
    command: tuple[str, ...]
    # What it may refuse a message for.
    declines: frozenset[str]
    # It passes targets on as they are.
    keeps_target: bool = False
    errs: frozenset[str] = frozenset()


ODD_NAMES = {"odd host", "empty host", "odd target", "target *"}

KINDS = [
    Kind(
        "nginx",
        NGINX,
        ("nginx", "-c"),
        frozenset({"tab beside a value", "TRACE", "unusual method"} | ODD_NAMES),
        keeps_target=True,
    ),
    Kind(
        "haproxy",
        HAPROXY,
        ("haproxy", "-db", "-f"),
        frozenset({"odd host", "content of nothing in HTTP/1.0"}),
    ),
    Kind("apache", APACHE, ("apache2", "-DFOREGROUND", "-f"), frozenset(ODD_NAMES)),
    Kind(
        "lighttpd",
        LIGHTTPD,
        ("lighttpd", "-D", "-f"),
        frozenset(
            {"no content", "content of HEAD", "content of GET", "unusual method", "HTTP/1.0"}
            | ODD_NAMES
        ),
    ),
]


class Teller:
    """The script of the server behind: keeps what it is sent, and answers with its number."""

    def __init__(self) -> None:
        self.told: list[Message] = []

    def __call__(self, peer: Peer) -> None:
        left, waited = b"", False
        while data := peer.connection.recv(65536):
            left += data
            if not waited and b"\r\nexpect: 100-continue\r\n" in left.lower():
                # Apache asks for that before it sends a content.
                waited = True
                peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            while left and (found := read_request(left)):
                message, size = found
                left, waited = left[size:], False
                self.told.append(message)
                peer.answer(fields=f"X-Told: {len(self.told) - 1}\r\n")


class ServerReader:
    """Has a server read streams, over a connection for each."""

    def __init__(self, kind: Kind, connect: Callable[[], Connection], told: list[Message]) -> None:
        self.kind = kind
        self.connect = connect
        self.told = told

    def __call__(self, stream: bytes) -> Reading:
        found: Reading = []
        with self.connect() as connection, contextlib.suppress(ConnectionError):
            sending = threading.Thread(target=self._send, args=(connection, stream), daemon=True)
            sending.start()
            while True:
                while b"\r\n\r\n" not in connection.buffer:
                    if not connection._more():
                        sending.join()
                        return found
                response = connection.response(head_only=True)
                if response.status < 200:
                    continue
                if told := response.fields.get("x-told"):
                    found.append(self._sees(self.told[int(told)]))
                    continue
                found.append(Refused(f"{response.status}"))
                if not stream.startswith(b"HEAD "):
                    connection.exactly(int(response.fields["content-length"]))
        return found

    def _send(self, connection: Connection, stream: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.send(stream + END)

    def _sees(self, message: Message) -> Message:
        if self.kind.keeps_target:
            return message
        return Message(message.ident, message.method, b"", message.body)


@contextlib.contextmanager
def running(kind: Kind, namespace: Netns, address: str) -> Iterator[Reader]:
    """The server runs meanwhile, and reads what it is given."""
    teller = Teller()
    behind = RawServer(namespace, address, TELLER_PORT, teller)
    top = Path(tempfile.mkdtemp(prefix=f"{kind.name}-"))
    config = top / "config"
    config.write_text(
        kind.config.format(
            top=top, address=address, port=PORT, teller=behind.address,
            teller_address=address, teller_port=TELLER_PORT,
        )
    )  # fmt: skip
    top.chmod(0o777)
    process = namespace.start(*kind.command, str(config))
    try:
        wait_until(lambda: listens(namespace, address), 20, f"{kind.name} listens")
        reader = ServerReader(
            kind, lambda: Connection(namespace.connect(address, PORT, PATIENCE)), teller.told
        )
        yield Reader(kind.name, reader, kind.declines, kind.errs, kind.keeps_target)
    finally:
        process.terminate()
        process.wait(20 * PACE)
        behind.close()
        shutil.rmtree(top)


def listens(namespace: Netns, address: str) -> bool:
    try:
        namespace.connect(address, PORT).close()
    except OSError:
        return False
    return True
