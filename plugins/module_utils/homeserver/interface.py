# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our modules ask of a homeserver, in Matrix's terms, whichever program answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .accounts import Account
    from .tokens import Limits, Token

ADMINISTRATOR = "homestead-admin"
"""The local name of the account by which we ask."""


class HomeserverError(Exception):
    """One clear sentence about what the homeserver refused or why it could not be asked."""


class UnreachableError(HomeserverError):
    """Nobody answers."""


class Secrets(Protocol):
    """The secrets of the host."""

    def read(self, name: str) -> str | None:
        """Return a secret, None if there is none."""

    def write(self, name: str, value: str) -> None:
        """Remember a secret; an empty one is forgotten."""

    def names(self) -> list[str]:
        """Return the names of all secrets."""


class Homeserver(Protocol):
    """Accounts and registration tokens of a server; each call raises a HomeserverError."""

    @property
    def server_name(self) -> str:
        """Return what stands behind the colon of its Matrix IDs."""

    @property
    def new_account(self) -> str:
        """Return our own Matrix ID there if it was made for this very session, else nothing."""

    def accounts(self, user_ids: Collection[str]) -> dict[str, Account]:
        """Return those of these accounts that exist, by their Matrix IDs."""

    def email_owner(self, email: str) -> str | None:
        """Return the Matrix ID of the account that has an e-mail address, None if none has it."""

    def change_account(self, user_id: str, changes: Mapping[str, object]) -> None:
        """Make an account, or change it: attributes of Account, `password` and `email`.

        A new password ends no sessions. An address is one more; from another it would be taken.
        """

    def tokens(self) -> list[Token]:
        """Return all registration tokens."""

    def make_token(self, token: str, limits: Limits) -> None:
        """Make a token; it has only the limits that are named."""

    def change_token(self, token: str, limits: Limits) -> None:
        """Change these limits of a token."""

    def withdraw_token(self, token: str) -> None:
        """Withdraw a token; accounts that were registered with it stay."""


class Connect(Protocol):
    """Signs in at a homeserver as our account, which it makes the first time."""

    def __call__(self, secrets: Secrets, *, check_mode: bool) -> Homeserver | None:
        """Return the session; in check mode none where one would have to make it first."""
