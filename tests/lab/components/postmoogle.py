# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The e-mail bridge in the lab: a mail domain, and a mail server of others.

The bridge is a stand-in, unless POSTMOOGLE_BINARY names the real program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab

HERE = Path(__file__).parent
SINK = HERE / "mail_sink.py"
STAND_IN = HERE / "postmoogle_stand_in.py"
MAIL_DOMAIN = f"mail.{DOMAIN}"
OWNER = f"@mailowner:{DOMAIN}"
OTHERS = "vantage"
"""The host of the lab that has a mail server of others."""
OTHERS_DOMAIN = "vantage.test"
ARRIVED = "/tmp/lab-mail"
RECORDS = "/etc/dnsmasq.d/mail.conf"
MX = f"mx-host={MAIL_DOMAIN},{HOSTNAME},10\nmx-host={OTHERS_DOMAIN},{OTHERS_DOMAIN},10\n"


def program(lab: Lab) -> Path:
    """Return the real program if there is one, else make the stand-in one that runs by itself."""
    if given := os.environ.get("POSTMOOGLE_BINARY"):
        return Path(given).resolve()
    path = lab.state / "postmoogle-stand-in"
    path.write_text(f"#!/usr/bin/python3\n{STAND_IN.read_text()}")
    return path


def variables(lab: Lab) -> dict[str, Any]:
    """Return what switches the bridge on, but for the list of components."""
    file = program(lab)
    return {
        "matrix_bridge_admins": [OWNER],
        "postmoogle_domains": [MAIL_DOMAIN],
        "postmoogle_file": str(file),
        "postmoogle_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Let the DNS say where mail goes, and run a mail server of others."""
    lab.write("ns", RECORDS, MX)
    lab.read_names_again()
    lab.write(OTHERS, "/tmp/mail_sink.py", SINK.read_text())
    lab.run(OTHERS, "rm", "-f", ARRIVED)
    unit = "systemd-run --quiet --collect --unit=mail-sink"
    lab.run(OTHERS, *unit.split(), "python3", "/tmp/mail_sink.py", ARRIVED)
    try:
        yield
    finally:
        lab.run(OTHERS, "systemctl", "stop", "mail-sink")
        lab.run("ns", "rm", RECORDS)
        lab.read_names_again()
