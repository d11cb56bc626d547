# SPDX-License-Identifier: GPL-2.0
"""A real server: nginx with pages, images and CGI, which says who it is in X-Server."""

import os
import random
import subprocess
import time
from pathlib import Path

from support.netns import Netns

CONFIG = """
worker_processes 1;
error_log {top}/error.log;
pid {top}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_max_body_size 0;
    client_body_temp_path {top}/body;
    fastcgi_temp_path {top}/fastcgi;
    default_type text/plain;
    server {{
        listen 80 backlog=8192;
        listen [::]:80 backlog=8192;
        root {top}/www;
        add_header X-Server rs{n} always;
        location / {{ }}
        location = /who {{ return 200 "rs{n}\\n"; }}
        location /cgi/ {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {top}/cgi/show;
            fastcgi_pass unix:{top}/cgi.socket;
        }}
    }}
}}
"""

CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "$REQUEST_METHOD $REQUEST_URI"
env | grep ^HTTP_ | sort
cat
"""

# What there is to get, and how large it is in bytes.
FILES = {"1k": 1024, "16k": 16 * 1024, "1m": 1024 * 1024}


class Nginx:
    """The web server in a real server's namespace."""

    def __init__(self, namespace: Netns, n: int) -> None:
        self.namespace = namespace
        self.n = n
        self.top = Path(f"/tmp/rs{n}")

    def write(self) -> None:
        """Writes configuration and content, the same on every server but for the names."""
        random.seed(1)
        for name in ("www/images", "www/html", "cgi", "body", "fastcgi"):
            (self.top / name).mkdir(parents=True)
        www = self.top / "www"
        for name, size in FILES.items():
            (www / name).write_bytes(random.randbytes(size))
        (www / "index.html").write_text(f"page of rs{self.n}\n")
        (www / "html" / "index.html").write_text(f"html of rs{self.n}\n")
        (www / "images" / "logo.png").write_text(f"image of rs{self.n}\n")
        (self.top / "cgi" / "show").write_text(CGI)
        (self.top / "cgi" / "show").chmod(0o755)
        (self.top / "nginx.conf").write_text(CONFIG.format(top=self.top, n=self.n))
        subprocess.run(["chown", "-R", "www-data", str(self.top)], check=True)

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        if not self.top.exists():
            self.write()
        socket = self.top / "cgi.socket"
        if not socket.exists():
            # Debian's nginx runs as www-data, which must be able to connect.
            self.namespace.start("fcgiwrap", "-s", f"unix:{socket}")
            while not socket.exists():
                time.sleep(0.05)
            os.chmod(socket, 0o777)
        self.namespace.run("nginx", "-c", str(self.top / "nginx.conf"))

    def stop(self) -> None:
        """Stops it at once."""
        self.namespace.run("nginx", "-c", str(self.top / "nginx.conf"), "-s", "stop")
        while (self.top / "nginx.pid").exists():
            time.sleep(0.05)
