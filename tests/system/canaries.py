# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that an operator gives, and where on the controller and on a host secrets are found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

HOMES = (
    "/etc/homestead/",
    "/etc/matrix-synapse/",
    "/etc/turnserver.conf",
    "/var/lib/homestead/",
    "/var/lib/matrix-synapse/",
    "/var/lib/postgresql/",
)
"""Where secrets are at home on a host."""
SEARCHED = "/etc /home /root /run /srv /tmp /var"
PROCESSES = "/proc/[0-9]*/cmdline /proc/[0-9]*/environ"
CAPTCHA = "canary-of-the-captcha"
GREP = "grep --files-with-matches --text --no-messages --fixed-strings --file=-"


def given(word: str) -> str:
    """Return a secret with characters that YAML, JSON, shells and Python write in their own ways.

    Its word is what is looked for, however the rest of it is written.
    """
    return f"""{word} isn't "it\\"""


def seen(text: str, secrets: dict[str, str]) -> set[str]:
    """Return the names of the secrets that a text shows."""
    return {name for name, secret in secrets.items() if secret in text}


def on_controller(lab: Lab, secrets: dict[str, str]) -> set[str]:
    """Return the files here that hold a secret."""
    places = [lab.state, Path.home() / ".ansible"]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert any(file.name == "report.json" for file in files)
    words = [secret.encode() for secret in secrets.values()]
    kept = ((file, file.read_bytes()) for file in files)
    return {str(file) for file, content in kept if any(word in content for word in words)}


def on_host(lab: Lab, host: str, secrets: dict[str, str]) -> set[str]:
    """Return the files of a host that hold a secret, among them its logs and its processes."""
    words = "\n".join(max(secret.splitlines(), key=len) for secret in secrets.values())
    looks = (f"--recursive --devices=skip {SEARCHED}", PROCESSES)
    found = (lab.ssh(host, f"{GREP} {look}; :", words) for look in looks)
    return {file for lines in found for file in lines.splitlines()}


def read_by_others(lab: Lab, host: str, files: Iterable[str]) -> set[str]:
    """Return which of these files a user reads whom nobody has let in."""
    each = 'while read -r file; do test -r "$file" && echo "$file"; done; :'
    script = f"runuser -u nobody -- sh -c {quote(each)}"
    return set(lab.ssh(host, script, "\n".join(files)).splitlines())
