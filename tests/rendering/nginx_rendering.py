# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the files that roles give nginx, and run nginx with them on ports of its own."""

from __future__ import annotations

import contextlib
import functools
import http.client
import random
import re
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = Path(__file__).parents[2] / "roles"
DOMAIN = "example.com"
HOSTNAME = "matrix.example.com"
NGINX = shutil.which("nginx", path="/usr/local/sbin:/usr/sbin:/usr/bin")
SECOND_STYLE_OF_HTTP2 = (1, 25, 1)

# What Debian sets around our files: a directive that we repeat on its level would be refused.
MAIN = """
{user}
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    server_tokens off;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers off;
    access_log {root}/access.log;
    gzip on;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/conf.d/*.conf;
}}
"""


def described(**given: Any) -> dict[str, Any]:
    """Return `matrix_site` of example.com as the real filter derives it."""
    return dict(site(DOMAIN, given))


def release_of_nginx() -> str:
    """Return the Debian release whose nginx is like the installed one."""
    if NGINX is None:
        return "13"
    banner = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    version = tuple(int(part) for part in re.findall(r"\d+", banner)[:3])
    return "13" if version >= SECOND_STYLE_OF_HTTP2 else "12"


def role_variables(name: str) -> dict[str, Any]:
    """Return the defaults and variables of a role, still as templates."""
    found: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        path = ROLES / name / part / "main.yml"
        if path.exists():
            found.update(DataLoader().load_from_file(str(path), trusted_as_template=True))
    return found


class Role:
    """The variables and templates of one role, which depends on the role `matrix`."""

    def __init__(self, name: str, **variables: Any) -> None:
        self.templates = ROLES / name / "templates"
        everything = {**role_variables("matrix"), **role_variables(name), **variables}
        self.templar = Templar(DataLoader(), variables=everything).copy_with_new_env(
            searchpath=[str(self.templates)]
        )

    def value(self, expression: str) -> Any:
        """Return the value of an expression."""
        return self.templar.template(trust_as_template("{{ " + expression + " }}"))

    def render(self, template: str) -> str:
        """Render a template as the service module does."""
        text = trust_as_template((self.templates / template).read_text())
        return str(self.templar.template(text, overrides={"trim_blocks": True}))


def proxy_role(description: dict[str, Any], *, release: str, ipv6: bool = True) -> Role:
    addresses = ["192.0.2.1", "2001:db8::1"] if ipv6 else ["192.0.2.1"]
    host = {"release": release, "addresses": addresses}
    return Role(
        "reverse_proxy", matrix_site=description, matrix_host=host, matrix_reverse_proxy="nginx"
    )


def proxy_files(role: Role) -> dict[str, str]:
    """Return the content of every file that the role writes, by its path on the host."""
    entries = role.value("_reverse_proxy_backend.files")
    return {each["path"]: role.render(each["template"]) for each in entries if "template" in each}


PORTS = iter(random.SystemRandom().sample(range(10_000, 32_000), 2_000))
"""Of this process; the kernel gives higher ones to whoever connects somewhere."""


def free_port() -> int:
    """Return a port that nobody has, each once."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no free port is left")


@functools.cache
def trusting(alpn: str) -> ssl.SSLContext:
    """Return what speaks this protocol with whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context


@dataclass
class Nginx:
    """A root directory for nginx, with every path and port of the host moved to it."""

    root: Path
    ports: dict[int, int] = field(
        default_factory=lambda: {port: free_port() for port in (80, 443, 8008, 8448)}
    )

    def write(self, files: dict[str, str], certificate: tuple[Path, Path]) -> None:
        user = "user root;" if self.root.owner() == "root" else ""
        (self.root / "nginx.conf").write_text(MAIN.format(root=self.root, user=user))
        for path, text in files.items():
            target = Path(self.moved(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            moved = self.moved(text)
            for name, own in zip(("fullchain.pem", "privkey.pem"), certificate):
                moved = re.sub(rf"\S+/{name}", str(own), moved)
            target.write_text(moved)

    def moved(self, text: str) -> str:
        """Replace the host's directories, addresses and ports."""
        text = text.replace("/etc/nginx/", f"{self.root}/")
        text = text.replace("/var/lib/homestead/", f"{self.root}/var/")
        text = text.replace("/var/log/nginx/", f"{self.root}/")
        text = text.replace("0.0.0.0:", "127.0.0.1:")
        return re.sub(
            r"(listen|server) (\[::\]|127\.0\.0\.1):(\d+)",
            lambda match: f"{match[1]} {match[2]}:{self.ports[int(match[3])]}",
            text,
        )

    def command(self, *options: str) -> list[str]:
        return [str(NGINX), "-p", str(self.root), "-c", str(self.root / "nginx.conf"), *options]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*options), capture_output=True, text=True, check=False)

    @contextmanager
    def running(self) -> Iterator[Nginx]:
        """Run until the end of the block."""
        with subprocess.Popen(self.command("-g", "daemon off;")) as process:
            try:
                self.wait()
                yield self
            finally:
                process.terminate()

    def wait(self) -> None:
        """Wait until it answers, at most five seconds."""
        for _unused in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.ports[443])) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError((self.root / "error.log").read_text())

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        port: int = 443,
        name: str = HOSTNAME,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request, its target exactly as it is given."""
        with self.connection(port, HOSTNAME) as secure:
            lines = [f"{method} {path} HTTP/1.1", f"Host: {name}", "Connection: close"]
            lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
            secure.sendall("\r\n".join([*lines, "", ""]).encode())
            response = http.client.HTTPResponse(secure, method=method)
            response.begin()
            return Reply(response.status, response.getheaders(), response.read().decode())

    def log_with(self, line: str) -> str:
        """Return the access log once it has this line, which comes after the answer."""
        for _turn in range(100):
            log = (self.root / "access.log").read_text()
            if line in log:
                break
            time.sleep(0.05)
        assert line in log
        return log

    @contextmanager
    def connection(self, port: int, name: str, alpn: str = "http/1.1") -> Iterator[socket.socket]:
        """Connect with TLS, or without on port 80."""
        with socket.create_connection(("127.0.0.1", self.ports[port]), 5) as plain:
            if port == 80:
                yield plain
                return
            with trusting(alpn).wrap_socket(plain, server_hostname=name) as secure:
                yield secure


@dataclass(frozen=True)
class Reply:
    """An answer with its raw header lines."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]
