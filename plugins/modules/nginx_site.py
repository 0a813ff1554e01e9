#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module homestead.matrix.nginx_site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_site
short_description: Find the server block of nginx that shall serve redirects
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Reads the whole configuration of nginx and finds the server blocks
    that answer for a name with TLS.
  - Fails with one sentence if there is none, or if one of them does not include the snippet;
    the sentence says which line to add in which file.
  - Asks there for every redirect, and says whether nginx serves them as they should be already.
  - Without redirects there is nothing to find.
  - Changes nothing.
options:
  name:
    description: The name that the site has.
    type: str
    required: true
  snippet:
    description: Path of a file that the server block must include; it need not exist yet.
    type: path
    required: true
  include:
    description: The line that the operator shall add if it is missing.
    type: str
    required: true
  redirects:
    description: What it shall serve, see O(homestead.matrix.redirects#module:redirects).
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: The path that is redirected.
        type: str
        required: true
      to:
        description: The URL it leads to.
        type: str
        required: true
      status:
        description: The status of the answer.
        type: int
        default: 302
attributes:
  check_mode:
    description: Reads only, in check mode too.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Find the site of the base domain
  homestead.matrix.nginx_site:
    name: example.com
    snippet: /etc/nginx/snippets/matrix-well-known.conf
    include: include /etc/nginx/snippets/matrix-*.conf;
    redirects: "{{ matrix_site.redirects }}"
"""

RETURN = r"""
address:
  description: Where the server block answers on this host.
  returned: success, if there are redirects
  type: str
  sample: 127.0.0.1
port:
  description: The port on which it answers with TLS.
  returned: success, if there are redirects
  type: int
  sample: 443
file:
  description: The file in which the server block stands.
  returned: success, if there are redirects
  type: str
  sample: /etc/nginx/sites-enabled/example.com
served:
  description: Whether every redirect is served already, without a fault.
  returned: success, if there are redirects
  type: bool
  sample: true
redirects:
  description: The redirects that were given, for the tasks that follow.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.answers.nginx_site import answer
from ..module_utils.arguments.nginx_site import ARGUMENTS
from ..module_utils.as_module import run


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
