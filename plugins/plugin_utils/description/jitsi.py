# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator says about Jitsi Meet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlsplit

from . import values

AUTHENTICATIONS = ("off", "internal")
DEFAULTS: dict[str, object] = {
    "jitsi_authentication": "off",
    "jitsi_bridge_memory_mb": 1024,
    "jitsi_archive_url": "https://download.jitsi.org",
    "jitsi_archive_key_url": "https://download.jitsi.org/jitsi-key.gpg.key",
    "jitsi_archive_fingerprint": "FFD65A0DA2BEBDEB73D44C8BB4D2D216F1FD7806",
}
LOWEST_MEMORY_MB, HIGHEST_MEMORY_MB = 256, 65536
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_SCHEMES = ("https", "http", "file")


@dataclass(frozen=True)
class Jitsi:
    """Who may open a conference, how much memory the bridge has, and where packages come from."""

    authentication: str
    bridge_memory_mb: int
    archive_url: str
    archive_key_url: str
    archive_fingerprint: str


def read(read_input: Callable[..., Any]) -> Jitsi:
    """Read each of the inputs, and leave its faults to whoever reads."""
    memory = (LOWEST_MEMORY_MB, HIGHEST_MEMORY_MB)
    return Jitsi(
        authentication=read_input(read_authentication, "jitsi_authentication") or "",
        bridge_memory_mb=read_input(values.number, "jitsi_bridge_memory_mb", *memory) or 0,
        archive_url=read_input(read_url, "jitsi_archive_url") or "",
        archive_key_url=read_input(read_url, "jitsi_archive_key_url") or "",
        archive_fingerprint=read_input(read_fingerprint, "jitsi_archive_fingerprint") or "",
    )


def read_authentication(name: str, value: object) -> str:
    """Read who may open a conference; YAML takes a plain `off` for a truth value."""
    if value is False:
        return "off"
    if value == "matrix":
        raise ValueError(
            f"{name} cannot be 'matrix': this release cannot ask Matrix who is a member; "
            "choose off or internal."
        )
    return values.choice(name, value, AUTHENTICATIONS)


def read_url(name: str, value: object) -> str:
    """Read where something is published, without a slash at the end."""
    text = value if isinstance(value, str) else ""
    parts = urlsplit(text)
    known = parts.scheme in _SCHEMES and bool(
        parts.path if parts.scheme == "file" else parts.netloc
    )
    if not known or any(character.isspace() for character in text):
        raise ValueError(f"{name} cannot be {value!r}; write an address like https://example.com.")
    return text.rstrip("/")


def read_fingerprint(name: str, value: object) -> str:
    """Read the whole fingerprint of an OpenPGP key, of which short forms prove nothing."""
    text = str(value).replace(" ", "").upper()
    if not _FINGERPRINT.fullmatch(text):
        raise ValueError(
            f"{name} cannot be {value!r}; write all 40 hexadecimal digits of the key's fingerprint."
        )
    return text
