# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of every set of components, loaded by the real programs: the table's ports, no other."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import ports
from firewall_rendering import SETS, SOURCES, Rows, rendered, rows
from firewall_server import Server

WISHES = {
    f"{name}, {whom}": rows(components, sources=sources)
    for name, components in SETS.items()
    for whom, sources in (("everybody", ()), ("sources", SOURCES))
}


@pytest.fixture(scope="session")
def opened(bare: Server) -> dict[str, list[str]]:
    """Return, for every wish, the ports that the kernel holds open."""
    assert bare.play().status == 0
    given = [(table, rendered(bare.firewall, table)) for table in WISHES.values()]
    return dict(zip(WISHES, bare.commit(given)))


@pytest.mark.parametrize("wish", WISHES)
def test_exactly_the_ports_of_the_table(opened: dict[str, list[str]], wish: str) -> None:
    assert sorted(opened[wish]) == sorted(str(ports.parse(row)) for row in WISHES[wish])


def ufw_calls(table: Rows) -> str:
    """Return how one would say it to ufw, a call for each rule."""
    lines = []
    for row in table:
        numbers = ":".join(dict.fromkeys([str(row["first"]), str(row["last"])]))
        for source in row["sources"] or ["any"]:
            to = f"from {source} to any port {numbers}"
            lines.append(f"ufw allow proto {row['protocol']} {to} comment '{row['purpose']}'")
    return "\n".join(lines)


@pytest.mark.parametrize("sources", [(), SOURCES], ids=["everybody", "sources"])
def test_our_files_are_those_that_ufw_would_write(bare: Server, sources: tuple[str, ...]) -> None:
    if bare.firewall != "ufw":
        pytest.skip("for ufw")
    table = rows(SETS["all"], sources=sources)
    assert bare.play(matrix_firewall="none").status == 0
    bare.shell(ufw_calls(table))
    for name, text in rendered("ufw", table)["ufw"].items():
        assert bare.run("cat", f"/etc/ufw/{name}") == text
    bare.shell("ufw --force reset")


def test_ufw_shows_the_purposes(server: Server) -> None:
    if server.firewall != "ufw":
        pytest.skip("for ufw")
    shown = server.run("ufw", "status")
    assert (
        "49152:49573/udp            ALLOW       Anywhere                   # TURN relays" in shown
    )


def test_firewalld_shows_the_zone(server: Server) -> None:
    if server.firewall != "firewalld":
        pytest.skip("for firewalld")
    assert server.run("firewall-cmd", "--get-default-zone").strip() == "homestead"
    assert "49152-49573/udp" in server.run("firewall-cmd", "--info-service=homestead-matrix")
