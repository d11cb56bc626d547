# SPDX-License-Identifier: GPL-2.0
"""The hosts of the tests, as network namespaces.

    client --- 10.0.1.0/24, fd00:1::/64 --- director --- 10.0.2.0/24, fd00:2::/64 --- rs1 rs2 rs3

Run as a program, it sets them up: with --servers the real servers too, with --module the module.
"""

import os
import subprocess
import sys

from support.netns import Netns
from support.nginx import Nginx

CLIENT = Netns("client")
DIRECTOR = Netns("director")
SERVERS = [Netns(f"rs{n}") for n in (1, 2, 3)]

# The director's addresses on the clients' side.
VIP = "10.0.1.1"
VIP6 = "fd00:1::1"


def server_address(n: int) -> str:
    """The IPv4 address of the real server number `n`, from 1."""
    return f"10.0.2.1{n}"


def server_address6(n: int) -> str:
    """Its IPv6 address."""
    return f"fd00:2::1{n}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def address(namespace: Netns, device: str, *addresses: str) -> None:
    for one in addresses:
        # Without nodad an IPv6 address cannot be used for a second.
        nodad = ["nodad"] if ":" in one else []
        ip("-n", namespace.name, "addr", "add", one, "dev", device, *nodad)
    ip("-n", namespace.name, "link", "set", device, "up")


def up() -> None:
    """Makes the namespaces and what joins them."""
    for namespace in [CLIENT, DIRECTOR, *SERVERS]:
        ip("netns", "add", namespace.name)
        ip("-n", namespace.name, "link", "set", "lo", "up")
    ip("link", "add", "eth0", "netns", "client", "type", "veth",
       "peer", "name", "front", "netns", "director")  # fmt: skip
    address(CLIENT, "eth0", "10.0.1.2/24", "fd00:1::2/64")
    address(DIRECTOR, "front", "10.0.1.1/24", "10.0.1.5/24", "fd00:1::1/64")
    ip("-n", "director", "link", "add", "back", "type", "bridge")
    for n, namespace in enumerate(SERVERS, 1):
        ip("link", "add", "eth0", "netns", namespace.name, "type", "veth",
           "peer", "name", f"port{n}", "netns", "director")  # fmt: skip
        ip("-n", "director", "link", "set", f"port{n}", "master", "back", "up")
        address(namespace, "eth0", f"{server_address(n)}/24", f"{server_address6(n)}/64")
    address(DIRECTOR, "back", "10.0.2.1/24", "fd00:2::1/64")
    # What the module has let go of in FIN-WAIT-2 TCP keeps by itself, and not for a minute here:
    # tests wait until there is nothing left.
    DIRECTOR.run("sysctl", "-qw", "net.ipv4.tcp_fin_timeout=5")
    for name in ("net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"):
        for namespace in [DIRECTOR, *SERVERS]:
            namespace.run("sysctl", "-qw", f"{name}=8192", check=False)


def module_path() -> str:
    return os.environ["KTCPVS_BUILD"] + "/ktcpvs.ko"


def main() -> None:
    up()
    if "--servers" in sys.argv:
        for n, namespace in enumerate(SERVERS, 1):
            Nginx(namespace, n).start()
    if "--module" in sys.argv:
        subprocess.run(["insmod", module_path()], check=True)


if __name__ == "__main__":
    main()
