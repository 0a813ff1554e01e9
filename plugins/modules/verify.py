#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Look at a Matrix server as a stranger on the internet would
version_added: 0.1.0
author:
  - The homestead.matrix founders (@homestead-matrix)
description:
  - Looks at a Matrix server from outside and returns what it found, each fault with its remedy.
  - Resolves the server name as other servers do, probes every address for certificate, version
    and signing keys, reads the three well-known documents through every redirect, asks the client
    API the first questions of a client, tells the registration mode from the flows without making
    an account, asks the TURN server for a relay, and probes the ports that should be open or
    closed, and those that Docker publishes past the firewall.
  - Works for any server name. With O(expectations) it also compares what it sees with the plan.
  - A fault of the server is a finding and never a failure of the module. It fails only when it
    cannot look at all.
  - Every answer is bounded in size and time.
    Private addresses are not contacted unless O(allow_private) says so.
requirements:
  - cryptography >= 42
  - dnspython >= 2.6
  - h11 >= 0.14
attributes:
  action:
    description: The module has no action plugin.
    support: none
  check_mode:
    description: Can run in C(check_mode) and return the same, because it only looks.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show in diff mode.
    support: none
  platform:
    description: Runs where Python 3.11 or newer runs.
    platforms: posix
    support: full
options:
  server_name:
    description:
      - The server name, which is the part after the colon of the Matrix IDs.
    type: str
    required: true
  expectations:
    description:
      - What a stranger must see, as C(matrix_site.expectations) tells it.
      - Without expectations nothing is compared with a plan.
    type: dict
    default: {}
  published:
    description:
      - Ports that NAT on the host leads past its firewall, as
        RV(homestead.matrix.host#module:published) tells them.
      - Those that O(expectations) do not open to everybody are tried, and a warning names each one
        that answers.
    type: list
    elements: dict
    default: []
    suboptions:
      protocol:
        description:
          - The protocol of the port.
        type: str
        choices: [tcp, udp]
        required: true
      first:
        description:
          - The port, or the first one of a range.
        type: int
        required: true
      last:
        description:
          - The last port of the range; equal to O(published[].first) for a single port.
        type: int
        required: true
      to:
        description:
          - Where it leads, an address with or without a port.
        type: str
        required: true
  turn_credentials:
    description:
      - Credentials for the TURN server, such as M(homestead.matrix.turn_credentials) makes.
      - Without them no relay is asked for.
    type: dict
    suboptions:
      username:
        description:
          - The user name, which begins with the time at which the credentials expire.
        type: str
        required: true
      password:
        description:
          - The password that belongs to O(turn_credentials.username).
        type: str
        required: true
      ttl:
        description:
          - How many seconds the credentials were made for.
        type: int
      expired:
        description:
          - Credentials that have expired, which the TURN server must refuse.
          - Without them that is not tried.
        type: dict
        suboptions:
          username:
            description:
              - The user name, which begins with a time in the past.
            type: str
            required: true
          password:
            description:
              - The password that belongs to O(turn_credentials.expired.username).
            type: str
            required: true
  ca_file:
    description:
      - A file with certificate authorities to trust besides those of the system.
    type: path
  nameservers:
    description:
      - Addresses of the name servers to ask instead of those of the system.
      - A port may follow, as in V(192.0.2.53:5353).
    type: list
    elements: str
    default: []
  allow_private:
    description:
      - Which private addresses may be contacted.
      - Either a list of networks like V(192.0.2.0/24), or V(true) for all and V(false) for none.
    type: raw
    default: false
  timeout:
    description:
      - How many seconds one question may take, with everything that belongs to it.
    type: float
    default: 5.0
  ignore:
    description:
      - The ids of findings that the operator accepts. They stay visible, but count as information.
      - An id that no finding has is refused before anything is looked at.
    type: list
    elements: str
    default: []
  vantage:
    description:
      - What the report shall call the host that looks; without it, its host name.
    type: str
  timer:
    description:
      - The unit file on the vantage by which it verifies the server every day, if it does so; see
        RV(daily).
    type: path
seealso:
  - module: homestead.matrix.verify_report
  - name: Matrix specification
    description: What the findings refer to.
    link: https://spec.matrix.org/latest/
"""

EXAMPLES = r"""
- name: Look at any Matrix server
  homestead.matrix.verify:
    server_name: example.com
  delegate_to: localhost

- name: Compare a server with its description
  homestead.matrix.verify:
    server_name: "{{ matrix_domain }}"
    expectations: "{{ matrix_site.expectations }}"
    ignore:
      - certificate.expiry
  delegate_to: localhost
"""

RETURN = r"""
findings:
  description: Everything that was seen, part by part.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The stable name of the check.
      type: str
      sample: well_known.client.cors
    area:
      description: What the check belongs to.
      type: str
      sample: well-known
    verdict:
      description:
        - One of V(ok), V(info), V(warning), V(error), V(skipped) and V(unknown).
        - V(unknown) is what the outside cannot know.
      type: str
      sample: error
    message:
      description: What was seen, in one sentence.
      type: str
      sample: "Browsers may not read https://example.com/.well-known/matrix/client: it has no
        Access-Control-Allow-Origin header."
    remedy:
      description: What to do about it, empty if nothing is wrong.
      type: str
      sample: "Send exactly one header 'Access-Control-Allow-Origin: *'."
    reference:
      description: The section of the specification that the check follows.
      type: str
      sample: Client-Server API, Web Browser Clients
    evidence:
      description: What the verdict rests on, such as requests, headers and certificates.
      type: dict
      sample: {}
summary:
  description: How many findings there are of each verdict.
  returned: success
  type: dict
  sample: {error: 1, warning: 0, unknown: 0, skipped: 1, info: 2, ok: 30}
verdict:
  description: The gravest verdict of all findings.
  returned: success
  type: str
  sample: error
seconds:
  description: How long looking took.
  returned: success
  type: float
  sample: 0.8
server_name:
  description: The server name that was looked at.
  returned: success
  type: str
  sample: example.com
vantage:
  description: Who looked.
  returned: success
  type: str
  sample: localhost
daily:
  description: Whether O(timer) stands on the vantage, by which it verifies the server every day.
  returned: success
  type: bool
  sample: false
python:
  description: The Python interpreter that looked.
  returned: success
  type: str
  sample: /usr/bin/python3
resolution:
  description: Where the server name leads other servers.
  returned: success
  type: dict
  contains:
    step:
      description: The step of the specification that decided.
      type: str
      sample: "3.2"
    connect:
      description: The addresses and ports to connect to, in order.
      type: list
      elements: str
      sample: ["192.0.2.2:443"]
    host_header:
      description: The Host header to send.
      type: str
      sample: matrix.example.com:443
    certificate_name:
      description: The name that the certificate must carry.
      type: str
      sample: matrix.example.com
    error:
      description: Why other servers do not find this one, empty if they do.
      type: str
      sample: ""
peers:
  description:
    - What other servers meet at each address, as plain facts.
    - C(report.json) tells it in the forms of the public federation testers.
  returned: success
  type: dict
  sample: {}
"""

from ..module_utils.answers.verify import answer
from ..module_utils.arguments.verify import ARGUMENTS
from ..module_utils.as_module import run


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
