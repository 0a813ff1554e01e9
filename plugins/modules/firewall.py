#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall
short_description: Commit firewall rules that cannot lock you out
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Makes one set of rules true on a host, now and after every boot, and touches nobody else's.
  - Before anything is changed, the port ssh really uses and the address of the controller must be
    admitted by the new ports, else the task fails with one sentence.
  - No rules are loaded beside those of another firewall that filters the host already, or of
    others that certainly drop what the ports let in.
  - A change arms a timer on the host which brings the former rules back. Then the rules are loaded,
    the control connection is dropped, and only a new connection makes the change last.
    Meanwhile nothing comes in only because it has begun before, like a tunnel that the rules do not
    know.
    If the controller dies or is cut off, the former rules are back within a minute, or by a reboot.
  - A run that finds the change of another one waits until it is over, at most a minute.
  - Rules that were changed by hand are noticed and put right.
  - A program that held rules of ours and gets none any more is put back into the state in which
    it was found.
  - A run that changes nothing is one round trip.
options:
  ports:
    description:
      - The ports which the rules open.
      - The host judges them before it loads the rules, and a diff shows them.
    type: list
    elements: dict
    default: []
    suboptions:
      protocol:
        description: The protocol; those other than V(tcp) and V(udp) have no ports.
        type: str
        choices: [tcp, udp, ah, esp, gre, ipv6, vrrp]
        required: true
      first:
        description: The first port of the range, V(0) for a protocol without ports.
        type: int
        required: true
      last:
        description: The last port of the range, the same as O(ports[].first) for a single port.
        type: int
        required: true
      purpose:
        description: What the port is for, in a few words.
        type: str
        required: true
      component:
        description: The component that needs the port.
        type: str
      name:
        description: The name of the port in the table of ports.
        type: str
      sources:
        description:
          - The networks that may use the port (IPv4 and IPv6, in CIDR notation).
          - Nobody named means everybody.
        type: list
        elements: str
        default: []
  rules:
    description:
      - The rules of each firewall program, as the texts of its files by their names.
      - A program that is not named holds no rules of ours.
      - Without any rules the host filters as it was found.
    type: dict
    default: {}
    suboptions:
      nftables:
        description: The file C(firewall.nft), which owns the table C(inet homestead).
        type: dict
      ufw:
        description: The files C(user.rules) and C(user6.rules) for IPv4 and IPv6.
        type: dict
      firewalld:
        description: The files C(zone.xml) and C(service.xml), a zone and a service of firewalld.
        type: dict
  packages:
    description: Debian packages of these programs. They are installed if a program is missing.
    type: list
    elements: str
    default: []
  rollback_seconds:
    description: After how many seconds (10 to 45) a change without proof undoes itself.
    type: int
    default: 45
  phase:
    description: Which half of the commit to run. The action plugin sets it.
    type: str
    choices: [apply, confirm]
    default: apply
  token:
    description: What ties the two halves of a commit together. The action plugin sets it.
    type: str
    default: ""
  over_ssh:
    description:
      - Whether the task came over a connection that can be dropped and made anew.
      - The action plugin sets it.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and tells which ports would open and close.
    support: full
  diff_mode:
    description: Shows the ports that open and close, by purpose.
    support: full
"""

EXAMPLES = r"""
- name: Open the ports of this host and no other
  homestead.matrix.firewall:
    ports: "{{ matrix_site.ports }}"
    rules:
      nftables:
        firewall.nft: "{{ lookup('ansible.builtin.template', 'nftables/firewall.nft.j2') }}"
    packages: [nftables]

- name: Remove our rules
  homestead.matrix.firewall:
"""

RETURN = r"""
ports:
  description:
    - The ports that open (+) and close (-), by purpose.
    - Where nothing filters yet, those whose programs strangers will not reach any more.
  type: list
  elements: str
  returned: always
  sample: ["+ tcp 8448 Matrix federation"]
reasons:
  description: What was not as it should be.
  type: list
  elements: str
  returned: always
  sample: ["the loaded rules are not those of the last run"]
packages:
  description: The packages that were missing.
  type: list
  elements: str
  returned: always
  sample: []
pending:
  description: Whether the change still waits for its proof.
  type: bool
  returned: always
  sample: false
msg:
  description: What stands in the way.
  type: str
  returned: on failure
"""

from ..module_utils.answers.firewall import answer
from ..module_utils.arguments.firewall import ARGUMENTS
from ..module_utils.as_module import run


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
