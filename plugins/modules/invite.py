#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: invite
short_description: Invite somebody to register, and show the token once
version_added: 0.1.0
author:
  - The homestead.matrix founders (@homestead-matrix)
description:
  - Makes a registration token as M(homestead.matrix.registration_token) does, and prints on the
    terminal what an invited person needs to know.
  - The token is printed once and is nowhere else; not in the result, and in no log, at any
    verbosity.
  - What cannot be is refused before anybody is asked.
attributes:
  action:
    description: Runs on the controller, and asks the homeserver on its host.
    support: full
  check_mode:
    description: Can run in C(check_mode), and then makes no token.
    support: full
  diff_mode:
    description: Shows the limits of the token, never the token.
    support: full
  platform:
    description: The homeserver's host is a Debian with systemd.
    platforms: debian
    support: full
options:
  server_name:
    description: The server, as people type it in a client.
    type: str
    required: true
  registration:
    description: The mode of registration; only with V(invite) is a token of use.
    type: str
    required: true
  uses:
    description: How many accounts may be registered with it, at least 1.
    type: int
    default: 1
  expires:
    description: Until when it holds, as O(homestead.matrix.registration_token#module:expiry).
    type: str
    default: 7d
  person:
    description:
      - A name of yours for the invitation, under which the host remembers its token.
      - The same person gets the same token again, and it can be withdrawn by that name.
      - Without it each run makes another token, which the host does not remember.
    type: str
  qr:
    description:
      - A new file on the controller for the invitation as a QR code, C(.svg) or C(.png), which only
        you may read.
      - It needs the Python library C(segno) on the controller.
    type: path
  client:
    description: The address of a client in which people can make accounts.
    type: str
    default: https://app.element.io
  cinny:
    description:
      - The address of a web page with the client Cinny. The invitation is then a link to it that
        has the server and the token filled in, and O(qr) holds that link.
      - Browsers send the link to whoever runs that page, so take one that you trust.
    type: str
  url:
    description: Where the homeserver listens on its host.
    type: str
    default: http://127.0.0.1:8008
seealso:
  - module: homestead.matrix.registration_token
"""

EXAMPLES = r"""
- name: Invite a family for two weeks
  homestead.matrix.invite:
    server_name: example.com
    registration: invite
    uses: 4
    expires: 2w
    qr: ~/family.svg
"""

RETURN = r"""
uses_allowed:
  description: How many accounts may be registered with the token.
  returned: success
  type: int
expiry:
  description: The time at which it ends, or V(never).
  returned: success
  type: str
pending:
  description: How many registrations with it have begun but not ended.
  returned: success
  type: int
completed:
  description: How many accounts were registered with it.
  returned: success
  type: int
usable:
  description: Whether another account can be registered with it now.
  returned: success
  type: bool
qr:
  description: The file with the QR code, or null.
  returned: if a token was shown
  type: str
"""
