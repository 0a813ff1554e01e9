# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for the TURN relay, minted where its secret is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .verify.wire.stun import rest_password

NAME = "turn"
"""The secret that the relay and the homeserver share."""
TTL = 600
SECRETS = Path("/etc/homestead/secrets")
USER = "homestead-verify"
EXPIRED_FOR = 3600
"""Seconds: clocks that are a little wrong are no fault."""


def mint(secret: str, *, ttl: int, now: int) -> dict[str, Any]:
    """Return credentials that expire in `ttl` seconds, and a pair that has expired."""
    expired = _pair(secret, expiry=now - EXPIRED_FOR)
    return {**_pair(secret, expiry=now + ttl), "ttl": ttl, "expired": expired}


def _pair(secret: str, *, expiry: int) -> dict[str, str]:
    username = f"{expiry}:{USER}"
    return {"username": username, "password": rest_password(username, secret)}


def read_secret(name: str, *, directory: Path = SECRETS) -> str:
    """Return a secret, empty if the host has none of this name."""
    if "/" in name:
        raise ValueError(f"{name!r} is not the name of a secret")
    try:
        return (directory / name).read_text().strip()
    except FileNotFoundError:
        return ""


def of_secret(
    name: str = NAME, *, ttl: int = TTL, now: float, directory: Path = SECRETS
) -> dict[str, Any]:
    """Return credentials of a secret, nothing if the host has none of this name."""
    secret = read_secret(name, directory=directory)
    return mint(secret, ttl=ttl, now=int(now)) if secret else {}
