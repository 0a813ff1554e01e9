# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must answer before a change counts."""

from __future__ import annotations

import os
import socket
import time
from typing import Callable

from .machine import Machine
from .model import Health, ServiceError

PATIENCE = 5.0
"""Seconds that one answer of a command's may take."""


class HealthError(ServiceError):
    """Nothing answered in time."""


def wait_until_healthy(health: Health, host: Machine, still_alive: Callable[[], None]) -> None:
    """Return once the service answers; ask in between whether waiting still makes sense."""
    end = time.monotonic() + health.timeout
    while problem := ask(health, host):
        still_alive()
        if time.monotonic() >= end:
            raise HealthError(f"no health within {health.timeout:g} s: {problem}")
        time.sleep(0.2)


def ask(health: Health, host: Machine) -> str:
    """Return what is wrong, or nothing."""
    try:
        return _ASK[health.kind](health, host)
    except OSError as error:
        return f"{health.address}{f' port {health.port}' if health.port else ''}: {error}"


def _ask_tcp(health: Health, _host: Machine) -> str:
    with socket.create_connection((health.address, health.port), timeout=2):
        return ""


def _ask_udp(health: Health, host: Machine) -> str:
    """See whether a program has the port: what it answers there is its own protocol's business."""
    from ..host.judging import listeners

    tables = (host.root / "proc/net" / name for name in ("udp", "udp6"))
    shown = "\n".join(table.read_text() for table in tables if table.exists())
    has_it = f"udp {health.port}" in listeners(tcp="", udp=shown).values()
    return "" if has_it else f"nothing has UDP port {health.port}"


def _ask_dns(health: Health, _host: Machine) -> str:
    """Ask a name server for the IPv4 addresses of a name (RFC 1035 section 4.1)."""
    from ..verify.ports.dns_messages import dns_question, is_dns_answer

    question = dns_question(health.name, os.urandom(2))
    family = socket.AF_INET6 if ":" in health.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(2)
        connection.connect((health.address, health.port))
        connection.send(question)
        answer = connection.recv(512)
    knows = is_dns_answer(answer, question) and int.from_bytes(answer[6:8], "big") > 0
    return "" if knows else f"the name server at {health.address} does not know {health.name}"


def _ask_command(health: Health, host: Machine) -> str:
    outcome = host.run(list(health.argv), seconds=PATIENCE)
    return outcome.last_words() or f"{health.argv[0]} fails" if outcome.code else ""


def _ask_socket(health: Health, _host: Machine) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(health.address)
    return ""


def _ask_url(health: Health, host: Machine) -> str:
    """Ask once, without proxies and without following redirects."""
    from http import client  # it takes longer to import than everything else here together
    from urllib.parse import urlsplit

    url = urlsplit(health.address)
    kind = client.HTTPSConnection if url.scheme == "https" else client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=5)
    try:
        target = url._replace(scheme="", netloc="").geturl() or "/"
        if health.token:
            secret = (host.places.secrets / health.token).read_text(encoding="utf-8").strip()
            connection.request("POST", target, "{}", {"Authorization": f"Bearer {secret}"})
        else:
            connection.request("GET", target)
        status = connection.getresponse().status
    except client.HTTPException as error:
        return f"{health.address}: {error!r}"
    finally:
        connection.close()
    return "" if status == health.status else f"{health.address} answers {status}"


_ASK: dict[str, Callable[[Health, Machine], str]] = {
    "tcp": _ask_tcp,
    "udp": _ask_udp,
    "dns": _ask_dns,
    "socket": _ask_socket,
    "url": _ask_url,
    "command": _ask_command,
}
