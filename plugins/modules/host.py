#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module homestead.matrix.host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Refuse a host that cannot be a Matrix server
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Looks at a host and refuses it, with one sentence for each reason,
    if it cannot be a Matrix server.
  - That is so if it does not run Debian 12 or 13, if another program listens on a port that the
    server needs, if it has too little memory or disk, if it already serves another domain, if it
    lacks a secret that it cannot make, or if it has a homeserver or a TURN server that others set
    up.
  - Free disk is asked for only until the homeserver has run, so that a full host can be repaired.
  - Changes nothing and returns what roles want to know about the host, also which ports its NAT
    publishes past the firewall, as Docker does it for containers.
options:
  server_name:
    description: The domain of the Matrix IDs that this host shall serve.
    type: str
    required: true
  minimum_memory_mb:
    description: The memory that the host must have, in megabytes.
    type: int
    default: 900
  minimum_disk_mb:
    description:
      - What must be free, in megabytes, if all is on one file system. Where programs (C(/usr)),
        Synapse (C(/opt)), its database and its media (both below C(/var/lib)) are on several, each
        of the four needs a quarter of it.
    type: int
    default: 3072
  ports:
    description:
      - Ports, such as V(tcp 443), on which no program but ours may listen.
      - With V(tcp 53 any) one may that has an address of its own, such as that of loopback.
    type: list
    elements: str
    default: [tcp 80, tcp 443]
  tunnel:
    description:
      - The host's own addresses in the private network, such as V(10.71.0.1/16). A host that is in
        this network already by another way is refused.
    type: list
    elements: str
    default: []
  adopt:
    description:
      - Whether a Synapse that others set up is no reason to refuse the host. What speaks against
        taking it over is one.
    type: bool
    default: false
  given:
    description:
      - Names of secrets that somebody else than the host has made. A host is refused that has none
        of such a name in C(/etc/homestead/secrets).
    type: list
    elements: str
    default: []
  refuse:
    description:
      - Whether a host fails the task if it cannot be a Matrix server or cannot be looked at.
      - With V(false) the task only looks, and where there is no host it returns nothing.
    type: bool
    default: true
  turn_credentials:
    description:
      - Whether to mint credentials for the TURN relay too, as M(homestead.matrix.turn_credentials)
        does with its defaults.
      - Then a host that is not there is a failure, with O(refuse=false) too.
      - Register the result with C(no_log) set to V(true).
    type: bool
    default: false
attributes:
  action:
    support: full
    description: With O(refuse=false) it notices on the controller that there is no host.
  check_mode:
    support: full
    description: It only looks, in check mode too.
  diff_mode:
    support: none
    description: There is never a difference.
"""

EXAMPLES = r"""
- name: Refuse a host that cannot be a Matrix server
  homestead.matrix.host:
    server_name: example.com
  register: matrix_host

- name: See which ports Docker publishes, if there is a host yet
  homestead.matrix.host:
    server_name: example.com
    refuse: false
  register: seen

- name: Mint credentials for the TURN relay in the same round trip
  homestead.matrix.host:
    server_name: example.com
    refuse: false
    turn_credentials: true
  register: seen
  no_log: true
"""

RETURN = r"""
faults:
  description: Everything that speaks against the host, each one sentence.
  returned: when the host could be looked at
  type: list
  elements: str
  sample: []
release:
  description: Release of Debian.
  returned: when the host could be looked at
  type: str
  sample: "13"
codename:
  description: Name of the release.
  returned: when the host could be looked at
  type: str
  sample: trixie
architecture:
  description: Architecture of the machine as the kernel calls it.
  returned: when the host could be looked at
  type: str
  sample: x86_64
memory_mb:
  description: Memory in megabytes.
  returned: when the host could be looked at
  type: int
  sample: 3920
disk_free_mb:
  description: Free space for programs, in C(/usr), in megabytes.
  returned: when the host could be looked at
  type: int
  sample: 31200
python:
  description: Version of Debian's Python; empty if the release is not supported.
  returned: when the host could be looked at
  type: str
  sample: "3.13"
postgresql:
  description:
    - The cluster of PostgreSQL that holds the Matrix server's database, whatever its version.
    - It is the one that the record of the service C(postgresql) names. While there is none,
      Debian's own C(main) is it if nobody has put anything into it, else one that is to be made.
  returned: when the host could be looked at
  type: dict
  contains:
    version:
      description: Major version of PostgreSQL; 0 if the release of Debian is not supported.
      type: int
      sample: 17
    cluster:
      description: Name of the cluster.
      type: str
      sample: main
    port:
      description: Its port, which is a part of the name of its socket.
      type: int
      sample: 5432
    shared:
      description: Whether it is somebody else's, so that none of our settings stands in it.
      type: bool
      sample: false
    data:
      description: Directory of its data; empty if it is still to be made.
      type: str
      sample: /var/lib/postgresql/17/main
    next:
      description: The same of the cluster to which it would be moved in Debian's own version.
      type: dict
      contains:
        version:
          description: Major version that the release of Debian has.
          type: int
          sample: 17
        cluster:
          description: Name of the cluster.
          type: str
          sample: main
        port:
          description: Its port, which is the same.
          type: int
          sample: 5432
        shared:
          description: Whether it is somebody else's, which it never is.
          type: bool
          sample: false
        fault:
          description: Why the database cannot be moved, one sentence; empty if it can.
          type: str
          sample: ""
addresses:
  description: Addresses of the host that others can reach or route, IPv4 first.
  returned: when the host could be looked at
  type: list
  elements: str
  sample: ["192.0.2.1", "2001:db8::1"]
services:
  description: Names of the services that M(homestead.matrix.service) has made true on the host.
  returned: when the host could be looked at
  type: list
  elements: str
  sample: [acme, synapse]
retired:
  description: Names of the services that were taken away and whose data is still there.
  returned: when the host could be looked at
  type: list
  elements: str
  sample: [postmoogle]
secrets:
  description: Names of the secrets in C(/etc/homestead/secrets); their values stay on the host.
  returned: when the host could be looked at
  type: list
  elements: str
  sample: [synapse_admin_token, turn]
adoption:
  description:
    - What is to be taken over of a Synapse that others set up; empty if there is none, or with
      O(adopt=false).
    - The same as before, with V(begun) true, if a run was killed that took it over.
  returned: when the host could be looked at
  type: dict
  sample: {}
adopted:
  description: What the Synapse of this host has kept of the one before it; empty without one.
  returned: when the host could be looked at
  type: dict
  sample: {}
public_keys:
  description: The public halves of the host's secrets that are keys, by the names of the secrets.
  returned: when the host could be looked at
  type: dict
  sample: {wireguard: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=}
published:
  description:
    - Ports that NAT leads past the firewall, because their packets never come to its rules for the
      host itself. Docker does this with every port of a container that is published to others.
    - It is null if there was no host to look at.
  returned: always
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: tcp
    first:
      description: The port, or the first one of a range.
      type: int
      sample: 8080
    last:
      description: The last port of the range; equal to RV(published[].first) for a single port.
      type: int
      sample: 8080
    to:
      description: Where it leads.
      type: str
      sample: "172.17.0.2:80"
credentials:
  description:
    - The same as RV(homestead.matrix.turn_credentials#module:credentials); empty if the host has
      no secret of a relay.
  returned: if the option O(turn_credentials) is true
  type: dict
  sample: {}
"""

from ..module_utils.answers.host import answer
from ..module_utils.arguments.host import ARGUMENTS
from ..module_utils.as_module import run


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
