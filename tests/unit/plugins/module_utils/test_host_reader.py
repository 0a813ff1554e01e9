# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.host.reading import (
    listening,
    observe,
)

TCP = "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:0 0     0        0 4711 1\n"
UDP = "   0: 00000000:0D96 00000000:0000 07 00000000:00000000 00:0 0   105        0 4712 2\n"
PASSWD = "root:x:0:0::/root:/bin/sh\nturnserver:x:105:110::/:/usr/sbin/nologin\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory that looks like a host on which nginx listens."""
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "proc/meminfo": "MemTotal: 1000000 kB\n",
        "proc/net/tcp": TCP,
        "proc/net/fib_trie": "",
        "proc/123/comm": "nginx\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    handles = tmp_path / "proc/123/fd"
    handles.mkdir()
    (handles / "0").symlink_to("/dev/null")
    (handles / "6").symlink_to("socket:[4711]")
    return tmp_path


def install(root: Path, name: str, script: str) -> None:
    """Put a program where a host keeps those of root."""
    program = root / "usr/sbin" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def test_a_host_is_read(root: Path) -> None:
    seen = observe(root, ports=["tcp 80"])
    assert seen.os_release.startswith("ID=debian")
    assert seen.owners == {"4711": "nginx"}
    assert seen.disks[0].free > 0
    assert (seen.server_name, seen.services, seen.secrets) == ("", frozenset(), frozenset())


LOCAL = {
    "proc/net/tcp": "0100007F",
    "proc/net/tcp6": "00000000000000000000000001000000",
    "proc/net/udp": "3500007F",
    "proc/net/udp6": "0000000000000000FFFF00000100007F",
}


@pytest.mark.parametrize(("path", "address"), LOCAL.items(), ids=LOCAL)
def test_what_listens_to_others_is_told(root: Path, path: str, address: str) -> None:
    """The kernel itself listens for a tunnel, and loopback is not for others."""
    with open(root / path, "a", encoding="utf-8") as table:
        table.write(TCP.replace("00000000:0050", f"{address}:0051").replace("4711", "4713"))
        table.write(UDP.replace("00000000:0D96", f"{address}:0D97"))
    with open(root / "proc/net/udp", "a", encoding="utf-8") as table:
        table.write(UDP.replace(" 105 ", "   0 "))
    assert listening(root) == {"tcp 80": "nginx", "udp 3478": "a program or the kernel"}


def test_a_process_that_ends_meanwhile_is_left_out(root: Path) -> None:
    (root / "proc/124").mkdir()
    assert observe(root, ports=["tcp 80"]).owners == {"4711": "nginx"}


def test_a_socket_that_hides_its_program_tells_its_account(root: Path) -> None:
    """In a container root may not look into the processes of others."""
    (root / "proc/net/udp").write_text(UDP, encoding="utf-8")
    (root / "etc/passwd").write_text(PASSWD, encoding="utf-8")
    seen = observe(root, ports=["tcp 80", "udp 3478"])
    assert seen.owners == {"4711": "nginx", "4712": "a program of turnserver"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("services/reverse_proxy.json", id="finished"),
        pytest.param("transactions/reverse_proxy", id="interrupted"),
    ],
)
def test_our_own_web_server_is_known(root: Path, path: str) -> None:
    (root / "var/lib/homestead" / path).mkdir(parents=True)
    assert observe(root).services == {"reverse_proxy"}


def test_a_service_that_left_only_its_data_is_told_apart(root: Path) -> None:
    record = '{"files": %s, "data": {"paths": ["/var/lib/mail"]}}'
    folder = root / "var/lib/homestead/services"
    folder.mkdir(parents=True)
    (folder / "there.json").write_text(record % '{"/etc/mail": {}}')
    (folder / "left.json").write_text(record % "{}")
    (folder / "broken.json").write_text("no record")
    seen = observe(root)
    assert (seen.services, seen.retired) == ({"there", "broken"}, {"left"})


def test_secrets_are_known_by_their_names(root: Path) -> None:
    folder = root / "etc/homestead/secrets"
    folder.mkdir(parents=True)
    for name in ("turn", ".turn.generation"):
        (folder / name).write_text("hidden")
    assert observe(root).secrets == {"turn"}


def test_servers_of_others_are_seen(root: Path) -> None:
    for path in ("etc/matrix-synapse", "matrix/dendrite"):
        (root / path).mkdir(parents=True)
    (root / "etc/turnserver.conf").write_text("realm=example.com\n", encoding="utf-8")
    seen = observe(root)
    assert seen.homeservers == {"etc/matrix-synapse", "matrix/dendrite"}
    assert seen.turnserver == "realm=example.com\n"


def test_the_recorded_server_name_is_read(root: Path) -> None:
    state = root / "var/lib/homestead"
    state.mkdir(parents=True)
    (state / "server_name").write_text("example.com\n", encoding="utf-8")
    assert observe(root).server_name == "example.com"


def test_programs_are_found_and_their_words_kept(root: Path) -> None:
    for name in ("iptables-save", "ip6tables-save", "nft"):
        install(root, name, f'echo "{name} $*"')
    seen = observe(root)
    assert (seen.iptables, seen.ip6tables) == ("iptables-save \n", "ip6tables-save \n")
    assert seen.nftables == "nft --terse list ruleset\n"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("echo no permission >&2; exit 1", id="fails"),
        pytest.param("kill $$", id="dies"),
    ],
)
def test_a_program_that_fails_says_nothing(root: Path, script: str) -> None:
    install(root, "nft", script)
    assert observe(root).nftables == ""


def test_without_programs_nothing_is_read(root: Path) -> None:
    seen = observe(root)
    assert (seen.iptables, seen.ip6tables, seen.nftables) == ("", "", "")


def test_this_machine_can_be_read() -> None:
    seen = observe()
    assert seen.machine == os.uname().machine
    assert "MemTotal" in seen.meminfo
