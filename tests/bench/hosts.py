# SPDX-License-Identifier: GPL-2.0
"""The three hosts of a measurement, as network namespaces, and the server's nginx.

client --- front --- director --- back --- server

Who asks the server itself goes the same way, and the director is then a router: so the packets of
a direct connection cross as many links as those that a gateway passes on.
"""

import os
import shutil
import subprocess
from pathlib import Path

from support.netns import Netns

from bench.cases import APART, KIB, MIB, TOGETHER

CLIENT = Netns("client")
DIRECTOR = Netns("director")
SERVER = Netns("server")

# Where the client asks: the director, or the server itself.
VIP = "10.0.1.1"
BACK = "10.0.2.11"

# Where the client asks from, if it needs more ports than one address has.
CLIENTS = ["10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"]

# Who says on the server that an upload has come.
SINK = 8099

SIZES = {"small": 11, "1k": KIB, "16k": 16 * KIB, "1m": MIB, "16m": 16 * MIB}

TOP = Path("/tmp/bench")

# How many CPUs each program may use. The guest whose clock counts instructions has one.
CPUS = int(os.environ.get("KTCPVS_BENCH_CPUS", "1"))

NGINX = """
worker_processes {cpus};
error_log {top}/error.log;
pid {top}/nginx.pid;
events {{
    worker_connections 65536;
    # Else one a round of all events, and a gateway's new connections wait for seconds.
    multi_accept on;
}}
worker_rlimit_nofile 262144;
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_max_body_size 0;
    client_body_buffer_size 2m;
    client_body_temp_path {top}/body;
    open_file_cache max=100 inactive=3600s;
    open_file_cache_valid 3600s;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{sink};
        return 204;
    }}
{servers}
}}
"""

SERVER_BLOCK = """
    server {{
        listen {port} backlog=8192;
        tcp_nopush {nopush};
        root {top}/www;
        location / {{ }}
        location ^~ /app {{ rewrite ^ /small break; }}
        # Answered only when all of it has come: wrk does not take an answer before.
        location = /upload {{
            proxy_pass http://127.0.0.1:{sink}/;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
        # A response that takes its time.
        location = /slow {{
            limit_rate 1;
            alias {top}/www/1k;
        }}
        location = /count {{ stub_status; }}
    }}
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def join(name: str, a: Netns, a_addresses: list[str], b: Netns, b_addresses: list[str]) -> None:
    """A cable between two hosts, of this name on both, with their addresses of a /24."""
    macs = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    ip("link", "add", name, "address", macs[0], "netns", a.name, "type", "veth",
       "peer", "name", name, "address", macs[1], "netns", b.name)  # fmt: skip
    for host, addresses in ((a, a_addresses), (b, b_addresses)):
        for address in addresses:
            ip("-n", host.name, "addr", "add", f"{address}/24", "dev", name)
        ip("-n", host.name, "link", "set", name, "up")
    # Who has to be asked for, and asked again every half minute, is sent packets the longer way.
    for host, others, mac in ((a, b_addresses, macs[1]), (b, a_addresses, macs[0])):
        for address in others:
            ip("-n", host.name, "neigh", "replace", address, "lladdr", mac, "dev", name,
               "nud", "permanent")  # fmt: skip


def up() -> None:
    """Makes the hosts."""
    for host in (CLIENT, DIRECTOR, SERVER):
        ip("netns", "add", host.name)
        ip("-n", host.name, "link", "set", "lo", "up")
        host.run("sysctl", "-qw", "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192",
                 "net.ipv4.ip_local_port_range=1024 65535")  # fmt: skip
    join("front", CLIENT, CLIENTS, DIRECTOR, [VIP])
    join("back", DIRECTOR, ["10.0.2.1"], SERVER, [BACK])
    ip("-n", "client", "route", "add", "10.0.2.0/24", "via", VIP)
    ip("-n", "server", "route", "add", "10.0.1.0/24", "via", "10.0.2.1")
    DIRECTOR.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    # Any number of real servers, which are all the same one.
    ip("-n", "server", "route", "add", "local", "10.2.0.0/16", "dev", "lo")
    ip("-n", "director", "route", "add", "10.2.0.0/16", "via", BACK)


def down() -> None:
    """Unmakes them, and ends what runs there."""
    for host in (CLIENT, DIRECTOR, SERVER):
        pids = subprocess.run(["ip", "netns", "pids", host.name], capture_output=True, text=True)
        if pids.stdout:
            subprocess.run(["kill", *pids.stdout.split()], check=False)
        subprocess.run(["ip", "netns", "del", host.name], check=False)


def real_servers(count: int) -> list[str]:
    """The addresses of `count` real servers."""
    if count == 1:
        return [BACK]
    return [f"10.2.{n // 250}.{n % 250 + 1}" for n in range(count)]


def start_server() -> None:
    """Starts the server's nginx."""
    www = TOP / "server" / "www"
    shutil.rmtree(TOP, ignore_errors=True)
    www.mkdir(parents=True)
    for name, size in SIZES.items():
        (www / name).write_bytes(b"x" * size)
    top = TOP / "server"
    blocks = [
        SERVER_BLOCK.format(
            top=top, sink=SINK, port=port, nopush="on" if port == TOGETHER else "off"
        )
        for port in (APART, TOGETHER)
    ]
    config = top / "nginx.conf"
    config.write_text(NGINX.format(top=top, sink=SINK, cpus=CPUS, servers="".join(blocks)))
    subprocess.run(["chown", "-R", "www-data", str(top)], check=True)
    SERVER.run("nginx", "-c", str(config))
