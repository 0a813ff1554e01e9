# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service task says, as values that cannot be half right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


class ServiceError(Exception):
    """One clear sentence about what is wrong or what went wrong."""


def words(error: Exception) -> str:
    """Return what an error says, for people: a path and why, without numbers."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


@dataclass(frozen=True)
class Reaction:
    """The units that must be restarted or reloaded when something changes."""

    restart: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ownership:
    owner: str
    group: str
    mode: int


@dataclass(frozen=True)
class Secret:
    """A secret of the host, made there; or one that is given: the operator's `value`, or a file.

    Other kinds than text are private keys, whose public halves stand beside them.
    """

    name: str
    length: int = 64
    generation: int = 1
    kind: Literal["text", "wireguard", "pem", "dkim"] = "text"
    given: bool = False
    value: str = field(default="", repr=False)


@dataclass(frozen=True)
class Directory:
    path: str
    ownership: Ownership


@dataclass(frozen=True)
class File:
    """A managed path: `content` and `link` are both None when nothing may stand there."""

    path: str
    content: bytes | None
    link: str | None
    ownership: Ownership
    secret: bool
    reaction: Reaction
    late: bool


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    creates: str | None
    unless: tuple[str, ...]
    inputs: tuple[str, ...]
    rerun: bool
    user: str | None
    environment: tuple[tuple[str, str], ...]
    timeout: float
    reaction: Reaction
    at_rest: bool = False


@dataclass(frozen=True)
class Download:
    """A file that must come to the host, from a URL or the controller, unless `target` stands.

    It waits for the transaction at the path `waiting`.
    """

    source: str
    is_url: bool
    sha256: str
    waiting: str
    target: str


@dataclass(frozen=True)
class Draft:
    """A directory that commands fill; what they leave of it unless `whole` stands is litter."""

    directory: str
    whole: str


@dataclass(frozen=True)
class WatchedPath:
    path: str
    reaction: Reaction


@dataclass(frozen=True)
class Validation:
    """The program's own check of its files."""

    argv: tuple[str, ...]
    user: str | None


@dataclass(frozen=True)
class Health:
    """What must answer before a change counts."""

    kind: Literal["tcp", "udp", "dns", "url", "socket", "command"]
    address: str = ""
    port: int = 0
    status: int = 200
    timeout: float = 30
    argv: tuple[str, ...] = ()
    token: str = ""
    """The secret with which a URL is asked; then it is told something, and not only read."""
    name: str = ""
    """What a name server is asked for."""


@dataclass(frozen=True)
class Account:
    name: str
    home: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """What outlives a service that is taken away: paths, and by name its databases and secrets."""

    paths: tuple[str, ...] = ()
    databases: tuple[tuple[str, str, int], ...] = ()
    """Each with its name, its owner and the port of its cluster."""
    secrets: tuple[str, ...] = ()

    def including(self, other: Data) -> Data:
        """Return both."""
        return Data(
            tuple(dict.fromkeys((*self.paths, *other.paths))),
            tuple(dict.fromkeys((*self.databases, *other.databases))),
            tuple(dict.fromkeys((*self.secrets, *other.secrets))),
        )


@dataclass(frozen=True)
class Service:
    name: str
    replaces: tuple[str, ...]
    present: bool
    packages: tuple[str, ...]
    debconf: tuple[dict[str, str], ...]
    account: Account | None
    groups: tuple[str, ...]
    secrets: tuple[Secret, ...]
    directories: tuple[Directory, ...]
    files: tuple[File, ...]
    downloads: tuple[Download, ...]
    drafts: tuple[Draft, ...]
    commands: tuple[Command, ...]
    watch: tuple[WatchedPath, ...]
    checks: tuple[Validation, ...]
    units: tuple[str, ...]
    lets_go: tuple[str, ...]
    health: tuple[Health, ...]
    instead_of: tuple[str, ...] = ()
    data: Data = field(default_factory=Data)
    removes_data: bool = False


def empty_answer(message: str) -> dict[str, Any]:
    """Return the answer to a service that cannot even be compared."""
    nothing: dict[str, Any] = {"files": [], "removed": [], "commands": [], "units": {}, "diff": []}
    nothing |= {"public": {}, "kept": {}}
    return {
        "changed": False,
        "packages": {"installed": [], "missing": []},
        **nothing,
        "failed": True,
        "msg": message,
    }
