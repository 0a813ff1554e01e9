# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An invitation to register: what is refused, what it says, and its QR code."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...module_utils.homeserver import tokens
from ...module_utils.homeserver.interface import HomeserverError
from ...module_utils.service.secrets import NAME

_ADDRESS = re.compile(r"https://[^\s?#]+")
KINDS = (".svg", ".png")
_OTHER_MODES = {
    "closed": "with matrix_registration closed nobody registers, with a token or without: make the "
    "account, as 'ansible-playbook homestead.matrix.user -e user=alice' does",
    "email": "with matrix_registration email no token is asked for: whoever proves an e-mail "
    "address registers; tell people the name of the server",
    "open": "with matrix_registration open no token is asked for: everybody registers; tell people "
    "the name of the server",
}


@dataclass(frozen=True)
class Invitation:
    """A token for people, and what its homeserver says of it."""

    server_name: str
    client: str
    limits: Mapping[str, Any]
    token: str = field(repr=False)
    cinny: str | None = None

    @property
    def text(self) -> str:
        """Return what an invited person needs to know."""
        steps = self._with_a_link if self.cinny else self._by_hand
        return (
            f"You are invited to Matrix, on the server {self.server_name}.\n\n{steps}\n\n"
            f"The token is good for {self._accounts}{self._end}."
        )

    @property
    def code(self) -> str:
        """Return what the QR code holds."""
        return self._link if self.cinny else self.text

    @property
    def _link(self) -> str:
        """Return the page on which Cinny has filled in the server and the token."""
        return f"{(self.cinny or '').rstrip('/')}/register/{self.server_name}/?token={self.token}"

    @property
    def _with_a_link(self) -> str:
        return f"Choose a name and a password here:\n{self._link}"

    @property
    def _by_hand(self) -> str:
        return (
            f"1. Open a Matrix client that can make accounts, like {self.client}\n"
            "2. Choose to make an account, and instead of the server that it shows\n"
            f"   type: {self.server_name}\n"
            "3. Choose a name and a password. When it asks for a registration token,\n"
            f"   type: {self.token}"
        )

    @property
    def _accounts(self) -> str:
        allowed = self.limits["uses_allowed"]
        left = allowed - self.limits["pending"] - self.limits["completed"]
        if allowed == tokens.UNLIMITED:
            return "any number of accounts"
        return "one account" if left == 1 else f"{left} accounts"

    @property
    def _end(self) -> str:
        if self.limits["expiry"] == tokens.NEVER:
            return ""
        end = datetime.fromisoformat(self.limits["expiry"]).astimezone(timezone.utc)
        return f", until {end:%Y-%m-%d %H:%M} UTC"


def refuse(given: Mapping[str, Any], now: datetime) -> None:
    """Raise a ValueError with one sentence about what is wrong before anybody is asked."""
    if reason := _OTHER_MODES.get(given["registration"]):
        raise ValueError(f"A token is of no use here: {reason}.")
    if given["uses"] < 1:
        raise ValueError(f"uses {given['uses']} must be at least 1: for how many accounts it is.")
    try:
        tokens.refuse_the_past(tokens.parse_wish(None, given["expires"], now), now)
    except HomeserverError as error:
        raise ValueError(f"{error}.") from None
    if given["person"] and not NAME.fullmatch(given["person"]):
        raise ValueError(f"person {given['person']!r} must be small letters, digits and ._-.")
    if given["cinny"] and not _ADDRESS.fullmatch(given["cinny"]):
        raise ValueError(
            f"cinny {given['cinny']!r} must be an address as https://cinny.example.com."
        )
    if given["qr"]:
        _refuse_file(Path(given["qr"]))


def _refuse_file(path: Path) -> None:
    if find_spec("segno") is None:
        raise ValueError(
            "qr needs the library segno; run: python -m pip install -r requirements.txt."
        )
    if path.suffix not in KINDS:
        raise ValueError(f"qr {path} must end in {' or '.join(KINDS)}.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"qr {path} lies in a directory that does not exist; make it first.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise ValueError(f"qr {path} lies in a directory that you may not write to.")
    if path.exists() or path.is_symlink():
        raise ValueError(f"qr {path} exists already; choose another name.")


def write_qr(text: str, path: Path) -> None:
    """Write the text as a QR code (ISO/IEC 18004) into a new file, for the operator only."""
    import segno  # only operators who want a code need it

    code = segno.make_qr(text, error="l")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        code.save(file, kind=path.suffix[1:], scale=4)
