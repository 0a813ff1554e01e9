# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sign-on in the lab: a real identity provider, which has the name of Google's.

So the documented example is what the tests run. Whoever types an e-mail address there is that
person, and of the Workspace of its domain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.plugins.plugin_utils.description.sign_on_entries import (
    CALLBACK,
)
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab

TOPOLOGY = Path(__file__).with_suffix(".toml")
HOST, UNIT = "identity", "identity.service"
NAME = "accounts.google.com"
CLIENT = "homestead.apps.googleusercontent.com"
SECRET = "correct-horse-battery-of-the-provider"
SETTINGS = {
    "issuer": f"https://{NAME}",
    "clients": [
        {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [f"https://{HOSTNAME}{CALLBACK}"],
        }
    ],
}
RECORDS = "/etc/dnsmasq.d/identity.conf"
TRUSTED = "/usr/local/share/ca-certificates/lab-0.crt"


def variables() -> dict[str, Any]:
    """Return what the inventory says so that people of one Workspace log in by it."""
    return {
        "matrix_oidc_providers": [
            {
                "id": "google",
                "preset": "google",
                "domain": DOMAIN,
                "client_id": CLIENT,
                "client_secret": SECRET,
            }
        ]
    }


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Run the provider, which stays as long as the lab does; its name and the trust in it go."""
    lab.up(only=(HOST,), topology=TOPOLOGY)
    lab.run("ns", "lab-certificate", NAME, f"DNS:{NAME}")
    for part in ("crt", "key"):
        lab.write(HOST, f"/etc/identity.{part}", lab.read("ns", f"/etc/lab/{NAME}.{part}"))
    lab.write(HOST, "/etc/identity.json", json.dumps(SETTINGS))
    lab.run(HOST, "systemctl", "restart", UNIT)
    authority = lab.settings["synapse_settings"]["federation_custom_ca_list"][0]
    lab.write("matrix", TRUSTED, lab.read("matrix", authority))
    lab.run("matrix", "update-ca-certificates")
    lab.write("ns", RECORDS, f"host-record={NAME},{lab.host_address(HOST)}\n")
    lab.read_names_again()
    try:
        yield
    finally:
        lab.shell("matrix", f"rm {TRUSTED}; update-ca-certificates --fresh")
        lab.run("ns", "rm", RECORDS)
        lab.read_names_again()
