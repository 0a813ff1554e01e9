# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the owner's settings pip goes by when it fills a venv of ours.

Whence packages come and whom pip trusts holds on. What says where or what to install (`user`,
`target`, `no-binary`, `constraint`, ...) was meant for the owner's own programs.
"""

from __future__ import annotations

import os

from ..already_there import Found
from .machine import Machine
from .model import ServiceError

PIP = ("/usr/bin/python3", "-I", "-m", "pip")
WHENCE = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "no-index"),
        *("trusted-host", "cert", "client-cert", "use-feature", "use-deprecated"),
        *("proxy", "timeout", "retries", "keyring-provider"),
    }
)
_PLACES = ("global", "install", ":env:")
"""Each outdoes those before it (pip's documentation, Configuration)."""
_HEARD = {"PIP_USER": "0", "PIP_QUIET": "0", "PIP_VERBOSE": "0"}
"""Or what is set would also be what `pip config` itself goes by."""

ALREADY_THERE = (
    Found(
        "settings of pip (`/etc/pip.conf`)",
        "uses",
        "mirrors, proxies and authorities; no other setting changes what is installed, or where",
    ),
)


def environment(host: Machine) -> dict[str, str]:
    """Return the environment in which pip goes by nothing else; raise its words if it is lost."""
    owners = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    listed = host.run([*PIP, "config", "list"], environment={**owners, **_HEARD})
    if listed.code != 0:
        raise ServiceError(f"pip cannot read its configuration: {listed.last_words()}")
    fixed = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**whence(listed.output), **fixed}


def whence(listed: str) -> dict[str, str]:
    """Return as variables what `pip config list` says of whence packages come."""
    import ast  # only here, not in every run

    found: dict[str, dict[str, str]] = {place: {} for place in _PLACES}
    for line in listed.splitlines():
        place, _dot, rest = line.partition(".")
        key, _is, value = rest.partition("=")
        if place in found and key in WHENCE:
            found[place][key] = str(ast.literal_eval(value))
    together = {key: value for place in _PLACES for key, value in found[place].items()}
    return {f"PIP_{key.upper().replace('-', '_')}": value for key, value in together.items()}
