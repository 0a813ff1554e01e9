# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commit one set of rules after the other on this host; print, as JSON, the ports that are open.

usage: driver.py DIRECTORY <WISHES

The directory holds parts of the collection's module_utils as packages of `homestead`. Nobody
connects here: what confirms a change is the same process.
"""

from __future__ import annotations

import json
import sys

sys.path.insert(0, sys.argv[1])

from homestead.firewall import openings
from homestead.firewall.backends import backends
from homestead.firewall.commit import LOCK, Firewall, Intent, Ticket
from homestead.firewall.system import Host

host = Host()
programs = backends(host)
firewall = Firewall(host, backends=programs)
opened = []
for number, (rows, rules) in enumerate(json.load(sys.stdin)):
    intent = Intent(
        ports=list(map(openings.parse, rows)),
        rules={name: rules.get(name, {}) for name in programs},
    )
    ticket = Ticket(token=str(number), seconds=45)
    with host.alone(LOCK):
        if firewall.apply(intent, ticket=ticket, over_ssh=False).due:
            firewall.confirm(ticket=ticket)
    opened.append([str(port) for name in programs for port in programs[name].ports()])
json.dump(opened, sys.stdout)
