# SPDX-License-Identifier: GPL-2.0
"""What is compared: how each system is told to do what a case wants, with its fast settings."""

import os
import subprocess
import time
from pathlib import Path

from bench.cases import Case, host_name, regex
from bench.hosts import BACK, CPUS, DIRECTOR, TOP, VIP, real_servers

# Balancing as each system calls it.
HAPROXY = {
    "rr": "roundrobin",
    "wrr": "roundrobin",
    "lc": "leastconn",
    "wlc": "leastconn",
    "sh": "source",
}
NGINX = {"rr": "", "wrr": "", "lc": "least_conn;", "wlc": "least_conn;", "sh": "ip_hash;"}


class System:
    """A way from the client to the server."""

    name: str
    # Where the client asks.
    address = VIP
    # The client asks the server itself.
    direct = False
    # It has connections of its own that take memory, or is what those are compared with.
    holds = True

    def can(self, case: Case) -> bool:
        """Whether it can do what the case wants."""
        return True

    def begin(self) -> None:
        """Gets ready for the first case."""

    def start(self, case: Case) -> None:
        """Serves `case` from now on."""

    def stop(self) -> None:
        """Serves nothing any more."""

    def end(self) -> None:
        """Undoes `begin`."""


class Direct(System):
    """The client and the server alone; the director routes."""

    name = "direct"
    address = BACK
    direct = True


class Ktcpvs(System):
    """The module."""

    name = "ktcpvs"

    def begin(self) -> None:
        # Where somebody has loaded it, it is what he wants to measure.
        self.ours = not Path("/sys/module/ktcpvs").exists()
        if self.ours:
            subprocess.run(["insmod", os.environ["KTCPVS_BUILD"] + "/ktcpvs.ko"], check=True)
        keep_symbols()

    def end(self) -> None:
        if self.ours:
            subprocess.run(["rmmod", "ktcpvs"], check=True)

    def start(self, case: Case) -> None:
        tcpvsadm("apply", "-f", "-", text=self.config(case))

    def stop(self) -> None:
        tcpvsadm("flush")

    @staticmethod
    def config(case: Case) -> str:
        lines = ["pool pool {", f"    scheduler {case.scheduler}"]
        if case.cookie:
            lines.append("    cookie SRV")
        for address in real_servers(case.servers):
            lines.append(f"    server {address}:{case.server_port} weight 1")
        lines += ["}", "service web {", f"    listen {VIP}:80"]
        # As long as the others'.
        lines += ["    timeout-head 1h", "    timeout-idle 1h"]
        if case.headers:
            lines.append("    forwarded-for on")
        for n in range(case.regexes):
            lines.append(f"    rule path-regex {regex(n)} use-pool pool")
        for n in range(case.hosts):
            lines.append(f"    rule host {host_name(n)} use-pool pool")
        if not (case.regexes or case.hosts):
            lines.append("    pool pool")
        return "\n".join([*lines, "}", ""])


class Process(System):
    """A gateway that is a process of the director's, with a file that says what to do."""

    def start(self, case: Case) -> None:
        top = TOP / self.name
        top.mkdir(exist_ok=True)
        file = top / "conf"
        file.write_text(self.config(case, top))
        self.process = DIRECTOR.start(*self.command(file))
        wait_for_listener()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def command(self, file: Path) -> list[str]:
        raise NotImplementedError

    def config(self, case: Case, top: Path) -> str:
        raise NotImplementedError


class Haproxy(Process):
    """HAProxy, connections to servers kept and shared, data spliced."""

    name = "haproxy"

    def command(self, file: Path) -> list[str]:
        return ["haproxy", "-db", "-q", "-f", str(file)]

    def config(self, case: Case, top: Path) -> str:
        lines = [
            "global",
            f"    nbthread {CPUS}",
            "    maxconn 100000",
            "defaults",
            "    mode http",
            "    timeout connect 5s",
            "    timeout client 1h",
            "    timeout server 1h",
            "    http-reuse always",
            "    option splice-auto",
            "frontend web",
            f"    bind {VIP}:80 backlog 8192",
        ]
        for n in range(case.regexes):
            lines.append(f"    use_backend pool if {{ path_reg {regex(n)} }}")
        if case.hosts:
            table = top / "hosts.map"
            table.write_text("".join(f"{host_name(n)} pool\n" for n in range(case.hosts)))
            lines.append(f"    use_backend %[req.hdr(host),lower,map_str({table})]")
        if not (case.regexes or case.hosts):
            lines.append("    default_backend pool")
        lines += ["backend pool", f"    balance {HAPROXY[case.scheduler]}"]
        if case.cookie:
            lines.append("    cookie SRV insert indirect nocache")
        if case.headers:
            lines.append("    option forwardfor")
        for n, address in enumerate(real_servers(case.servers)):
            cookie = f" cookie s{n}" if case.cookie else ""
            lines.append(f"    server s{n} {address}:{case.server_port}{cookie}")
        return "\n".join([*lines, ""])


class NginxProxy(Process):
    """nginx as a gateway with kept connections to servers."""

    name = "nginx"

    def command(self, file: Path) -> list[str]:
        return ["nginx", "-c", str(file), "-g", "daemon off;"]

    def config(self, case: Case, top: Path) -> str:
        balance = NGINX[case.scheduler]
        servers = "".join(
            f"server {address}:{case.server_port};\n" for address in real_servers(case.servers)
        )
        proxy = "proxy_pass http://pool;"
        if case.regexes:
            locations = "".join(
                f'location ~ "{regex(n)}" {{ {proxy} }}\n' for n in range(case.regexes)
            )
        else:
            locations = f"location / {{ {proxy} }}\n"
        names = "".join(f"server_name {host_name(n)};\n" for n in range(case.hosts))
        extra = "add_header Set-Cookie SRV=s0;\n" if case.cookie else ""
        if case.headers:
            extra += "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
        return f"""
            worker_processes {CPUS};
            worker_rlimit_nofile 262144;
            error_log {top}/error.log;
            pid {top}/nginx.pid;
            events {{ worker_connections 65536; }}
            http {{
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                keepalive_timeout 3600s;
                client_max_body_size 0;
                server_names_hash_max_size 65536;
                proxy_buffers 16 64k;
                proxy_buffer_size 64k;
                proxy_busy_buffers_size 128k;
                proxy_max_temp_file_size 0;
                proxy_request_buffering off;
                upstream pool {{
                    {balance}
                    {servers}
                    keepalive {max(512, case.servers)};
                    keepalive_requests 1000000000;
                }}
                server {{
                    listen {VIP}:80 backlog=8192;
                    {names}
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_set_header Host $host;
                    {extra}
                    {locations}
                }}
            }}
        """


class Ipvs(System):
    """IPVS by NAT. Its hooks cost all others too, so it is loaded last."""

    name = "ipvs"
    holds = False

    def can(self, case: Case) -> bool:
        return case.layer4()

    def begin(self) -> None:
        subprocess.run(["modprobe", "ip_vs"], check=True)
        for scheduler in ("rr", "wrr", "lc", "wlc", "sh"):
            subprocess.run(["modprobe", f"ip_vs_{scheduler}"], check=True)

    def start(self, case: Case) -> None:
        commands = [f"-A -t {VIP}:80 -s {case.scheduler}"]
        for address in real_servers(case.servers):
            commands.append(f"-a -t {VIP}:80 -r {address}:{case.server_port} -m -w 1")
        DIRECTOR.run("ipvsadm", "-R", input="\n".join([*commands, ""]))

    def stop(self) -> None:
        DIRECTOR.run("ipvsadm", "-C")


class DirectBesideIpvs(Direct):
    """The client and the server alone while IPVS is loaded: what it is to be compared with."""

    name = "direct-beside-ipvs"
    holds = False

    def can(self, case: Case) -> bool:
        return case.layer4()


# In the order of measuring.
SYSTEMS: list[System] = [Direct(), Ktcpvs(), Haproxy(), NginxProxy(), Ipvs(), DirectBesideIpvs()]

# What each is compared with.
BASES = {"ipvs": "direct-beside-ipvs"}


def keep_symbols() -> None:
    """Leaves the kernel's symbols, the modules' with them, for the profiler's reader."""
    if "KTCPVS_PROFILE" in os.environ:
        Path("/job/kallsyms").write_text(Path("/proc/kallsyms").read_text())


def tcpvsadm(*words: str, text: str | None = None) -> None:
    result = DIRECTOR.run("tcpvsadm", *words, check=False, input=text, timeout=600)
    if result.returncode != 0:
        raise SystemExit(f"bench: tcpvsadm {' '.join(words)}: {result.stderr}")


def wait_for_listener() -> None:
    """Waits until somebody listens at the director."""
    while not DIRECTOR.run("ss", "-Hltn", f"src {VIP}:80").stdout:
        time.sleep(0.02)
