# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.health import (
    ask,
    wait_until_healthy,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import (
    Machine,
    Places,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import (
    Health,
    ServiceError,
)

HOST = Machine()

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def answering(words: bytes, heard: list[bytes] | None = None) -> Iterator[int]:
    """Answer one connection with these words; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _unused = server.accept()
            with connection:
                said = connection.recv(1000)
                if said.startswith(b"POST") and said.endswith(b"\r\n\r\n"):
                    said += connection.recv(1000)
                (heard if heard is not None else []).append(said)
                connection.sendall(words)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", id="healthy"),
        pytest.param(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "answers 302", id="redirect"),
        pytest.param(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "answers 503", id="not yet"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "BadStatusLine", id="not HTTP"),
        pytest.param(b"", "RemoteDisconnected", id="nothing"),
    ],
)
def test_url(words: bytes, problem: str) -> None:
    with answering(words) as port:
        said = ask(Health("url", f"http://127.0.0.1:{port}/health"), HOST)
    assert problem in said
    assert bool(problem) == bool(said)


def test_url_with_a_token(tmp_path: Path) -> None:
    """The ping of an application service (Client-Server API) is such a question."""
    host = Machine(places=Places(secrets=tmp_path))
    (tmp_path / "bridge").write_text("its-token\n")
    heard: list[bytes] = []
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heard) as port:
        health = Health("url", f"http://127.0.0.1:{port}/ping", token="bridge")
        assert ask(health, host) == ""
    head, body = heard[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /ping HTTP/1.1\r\n")
    assert b"Authorization: Bearer its-token" in head
    assert body == b"{}"


def test_port() -> None:
    with answering(b"") as port:
        assert ask(Health("tcp", "127.0.0.1", port), HOST) == ""


def test_udp_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.bind(("127.0.0.1", 0))
        health = Health("udp", port=program.getsockname()[1])
        assert ask(health, HOST) == ""
    assert ask(health, HOST) == f"nothing has UDP port {health.port}"


@pytest.mark.parametrize(
    ("flags", "answers", "problem"),
    [
        pytest.param(b"\x81\x80", 1, "", id="known"),
        pytest.param(b"\x81\x80", 0, "does not know a.example", id="no address"),
        pytest.param(b"\x81\x83", 0, "does not know a.example", id="unknown"),
        pytest.param(b"\x01\x00", 1, "does not know a.example", id="no answer"),
    ],
)
def test_name_server(flags: bytes, answers: int, problem: str) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", 0))

        def answer() -> None:
            question, asker = server.recvfrom(512)
            assert question[12:].startswith(b"\x01a\x07example\x00")
            server.sendto(question[:2] + flags + b"\0\1\0" + bytes([answers]) + b"\0" * 4, asker)

        threading.Thread(target=answer, daemon=True).start()
        said = ask(Health("dns", "::1", server.getsockname()[1], name="a.example"), HOST)
    assert problem in said
    assert bool(problem) == bool(said)


def test_no_name_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.bind(("127.0.0.1", 0))
        port = program.getsockname()[1]
    assert f"port {port}: " in ask(Health("dns", "127.0.0.1", port, name="a.example"), HOST)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        pytest.param("echo fine", "", id="success"),
        pytest.param("echo not yet >&2; exit 1", "not yet", id="failure"),
        pytest.param("exit 1", "sh fails", id="failure without a word"),
    ],
)
def test_command(script: str, problem: str) -> None:
    assert ask(Health("command", argv=("sh", "-c", script)), HOST) == problem


def test_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    assert "No such file" in ask(Health("socket", path), HOST)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        assert ask(Health("socket", path), HOST) == ""


def test_waiting_ends() -> None:
    nobody = Health("socket", "/nowhere", timeout=0.1)
    with pytest.raises(ServiceError, match=r"no health within 0.1 s: /nowhere"):
        wait_until_healthy(nobody, HOST, lambda: None)


def test_waiting_ends_when_the_unit_dies() -> None:
    def dead() -> None:
        raise ServiceError("it died")

    with pytest.raises(ServiceError, match="it died"):
        wait_until_healthy(Health("socket", "/nowhere"), HOST, dead)
