# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.site."""

from __future__ import annotations

DOCUMENTATION = r"""
name: site
short_description: Derive a Matrix server from its description
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Takes the few variables that describe a Matrix server and returns everything that follows,
    that is ports, virtual hosts, well-known documents, redirects, DNS records
    and what a stranger on the internet must see.
  - Refuses a description that is wrong or contradicts itself with one sentence for each fault.
  - The role P(homestead.matrix.matrix#role) calls it; playbooks read the result as C(matrix_site).
  - It takes that role's other variables, and the role P(homestead.matrix.firewall#role)'s, by their
    names without the prefix, as in C(hostname=matrix_hostname); what they mean stands there.
positional: _input
options:
  _input:
    description: The part after the colon of the Matrix IDs, the variable C(matrix_domain).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the ports of a server
  ansible.builtin.debug:
    msg: "{{ ('example.com' | homestead.matrix.site).ports }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with C(domain), C(hostname), C(base_url), C(components), C(registration),
      C(sign_up), C(single_sign_on), C(secrets_to_give), C(max_upload_mb), C(ports), C(vhosts),
      C(upstreams), C(certificate), C(well_known), C(redirects), C(turn), C(application_services),
      C(bridge_admins), C(accounts), C(bots), C(parts), C(admin_ui), C(roles), C(dns_records),
      C(wireguard), C(dnsmasq), C(retired) and C(expectations).
  type: dict
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Callable

from ..plugin_utils.description.registration import setting_names
from ..plugin_utils.description.site import site as derived
from ..plugin_utils.program.refusal import DescriptionError


def plain(value: object) -> object:
    """Return the value without the marks that Ansible puts on its own."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    return value


@lru_cache(maxsize=1024)
def remembered(inputs: str) -> str:
    """Derive the site once for the same inputs, both as JSON: nobody can change what is kept."""
    domain, given = json.loads(inputs)
    return json.dumps(derived(domain, given))


def site(domain: object, **given: object) -> object:
    """Return `matrix_site`."""
    settings = given.get("synapse_settings")
    if isinstance(settings, Mapping):
        given["synapse_settings"] = setting_names(settings)
    try:
        return json.loads(remembered(json.dumps(plain([domain, given]), default=str)))
    except ValueError as error:
        raise DescriptionError(told(str(error).splitlines())) from None


def told(sentences: Sequence[str]) -> str:
    """Return one fault as it is and several as a list."""
    if len(sentences) == 1:
        return sentences[0]
    faults = "".join(f"\n- {sentence}" for sentence in sentences)
    return f"The description has {len(sentences)} faults:{faults}"


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"site": site}
