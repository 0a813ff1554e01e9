# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jitsi Meet in the lab: a name in the DNS, and an archive of stand-ins for Jitsi's packages.

Debian's Prosody is the real one. Nothing in the lab carries media.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab

HERE = Path(__file__).parent
NAME = f"jitsi.{DOMAIN}"
ARCHIVE = "/srv/jitsi-archive"
RECORDS = "/etc/dnsmasq.d/jitsi.conf"
SERVICE = "/tmp/jitsi_service.py"


def variables(lab: Lab) -> dict[str, Any]:
    """Return what switches Jitsi Meet on, but for the list of components."""
    lab.write("matrix", SERVICE, (HERE / "jitsi_service.py").read_text())
    script = (HERE / "jitsi_archive.sh").read_text()
    fingerprint = lab.run("matrix", "sh", "-s", SERVICE, stdin=script).split()[-1]
    return {
        "jitsi_archive_url": f"file:{ARCHIVE}",
        "jitsi_archive_key_url": f"file://{ARCHIVE}/key.asc",
        "jitsi_archive_fingerprint": fingerprint,
    }


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Let the DNS know the name."""
    addresses = ",".join(lab.address(HOSTNAME, family) for family in (4, 6))
    lab.write("ns", RECORDS, f"host-record={NAME},{addresses}\n")
    lab.read_names_again()
    try:
        yield
    finally:
        lab.run("ns", "rm", RECORDS)
        lab.read_names_again()
        lab.run("matrix", "rm", "-rf", ARCHIVE)
