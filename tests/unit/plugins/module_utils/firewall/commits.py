# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits on a host of paper: what is wished, and the two halves that make it true."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.backends import backends
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    Firewall,
    Intent,
    Survey,
    Ticket,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import Rules
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

SSH = parse({"protocol": "tcp", "first": 22, "last": 22, "purpose": "SSH"})
WEB = parse({"protocol": "tcp", "first": 443, "last": 443, "purpose": "HTTPS"})
APPLIED = Ticket(token="one", seconds=45, connection="192.0.2.1 40000 192.0.2.2 22")
CONFIRMED = replace(APPLIED, connection="192.0.2.1 40001 192.0.2.2 22")


def wish(**rules: Rules) -> Intent:
    """Wish for SSH and HTTPS in the rules of these backends, and for none in the others."""
    nothing: dict[str, Rules] = {"nftables": {}, "ufw": {}, "firewalld": {}}
    return Intent(ports=[SSH, WEB] if rules else [], rules={**nothing, **rules})


def firewall(host: PaperHost) -> Firewall:
    return Firewall(host, backends=backends(host))


def inspect(host: PaperHost, wanted: Intent) -> Survey:
    return firewall(host).inspect(wanted, over_ssh=True)


def apply(host: PaperHost, wanted: Intent, *, ticket: Ticket = APPLIED) -> None:
    firewall(host).apply(wanted, ticket=ticket, over_ssh=True)


def confirm(host: PaperHost, *, ticket: Ticket = CONFIRMED) -> None:
    firewall(host).confirm(ticket=ticket)


def commit(host: PaperHost, wanted: Intent) -> None:
    apply(host, wanted)
    confirm(host)
