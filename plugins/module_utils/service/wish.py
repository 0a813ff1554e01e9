# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What should stand where, and what differs from it."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from .machine import Places, find_group, find_user
from .model import Directory, File, Ownership, Reaction, Service, ServiceError
from .nodes import ABSENT, Node, read
from .record import Record, path_of
from .secrets import PLACEHOLDER, Vault, generation_path, hide_lines, names_of

NOBODY_YET = -1
NO_REACTION = Reaction()
HIDDEN = "(former lines that are not shown)"


@dataclass(frozen=True)
class Wish:
    """What should stand at a path.

    Diffs show the content `shown`, before the secrets came in; what we `keep` outlives its task;
    what is `late` is written after the commands.
    """

    path: str
    node: Node
    reaction: Reaction = NO_REACTION
    secret: bool = False
    shown: bytes = b""
    keep: bool = False
    late: bool = False


@dataclass(frozen=True)
class Change:
    wish: Wish
    before: Node


def wishes(
    service: Service, record: Record, vault: Vault, places: Places, *, check: bool
) -> list[Wish]:
    """Return what should stand where, in the order in which it must be written."""
    owned = _Owners(check)
    listed = [
        *(_directory_wish(entry, owned) for entry in service.directories if service.present),
        *(_secret_wishes(service, vault, places) if service.present else ()),
        *(_file_wish(entry, vault, owned) for entry in service.files),
        *(Wish(path_of(places, name), ABSENT, keep=True) for name in service.replaces),
    ]
    mentioned = {wish.path for wish in listed}
    former = ((path, reaction) for path, reaction in record.files.items() if path not in mentioned)
    gone = [Wish(path, ABSENT, reaction) for path, reaction in former]
    written = sorted((*_parents(listed), *listed), key=_outer_directories_first)
    return [*written, *gone, *_empty_folders(record, listed)]


def _outer_directories_first(wish: Wish) -> tuple[bool, str]:
    is_directory = wish.node.kind == "directory"
    return (not is_directory, wish.path if is_directory else "")


def _directory_wish(entry: Directory, owned: _Owners) -> Wish:
    return Wish(entry.path, owned.node(Node("directory"), entry.ownership), keep=True)


def differences(wished: Iterable[Wish]) -> list[Change]:
    """Return what is not as it should be."""
    changes = (Change(wish, read(wish.path)) for wish in wished)
    return [change for change in changes if _differs(change)]


def _differs(change: Change) -> bool:
    wish, before = change.wish, change.before
    kinds = {before.kind, wish.node.kind}
    if "directory" in kinds and not kinds <= {"directory", "absent"}:
        raise ServiceError(f"{wish.path} is a directory on one side only; move it away by hand")
    return wish.node != before


@dataclass(frozen=True)
class _Owners:
    """Turns names into numbers; in check mode an account may not exist yet."""

    check: bool

    def node(self, node: Node, ownership: Ownership) -> Node:
        return Node(
            node.kind,
            content=node.content,
            uid=self._number(ownership.owner, group=False),
            gid=self._number(ownership.group, group=True),
            mode=ownership.mode,
        )

    def _number(self, name: str, *, group: bool) -> int:
        try:
            return find_group(name).gr_gid if group else find_user(name).pw_uid
        except ServiceError:
            if self.check:
                return NOBODY_YET
            raise


def _file_wish(file: File, vault: Vault, owned: _Owners) -> Wish:
    if file.link is not None:
        return Wish(file.path, Node("link", target=file.link), file.reaction, late=file.late)
    if file.content is None:
        return Wish(file.path, ABSENT, file.reaction, file.secret, late=file.late)
    node = owned.node(Node("file", content=vault.reveal(file.content)), file.ownership)
    shown = file.content
    return Wish(file.path, node, file.reaction, file.secret, shown=shown, late=file.late)


def _secret_wishes(service: Service, vault: Vault, places: Places) -> Iterator[Wish]:
    if service.secrets:
        yield Wish(str(places.secrets), Node("directory", mode=0o700), keep=True)
    for secret in service.secrets:
        for name in names_of(secret):
            path = str(places.secrets / name)
            value = vault.made.get(name)
            content = f"{value}\n".encode() if value else read(path).content
            yield Wish(path, Node("file", content=content, mode=0o600), secret=True, keep=True)
        generation = str(generation_path(places.secrets, secret.name))
        if secret.generation > 1 or read(generation) != ABSENT:
            note = Node("file", content=f"{secret.generation}\n".encode(), mode=0o600)
            yield Wish(generation, note, keep=True)


def _parents(listed: list[Wish]) -> list[Wish]:
    """Return the directories above these paths that are missing, outermost first."""
    explicit = {wish.path for wish in listed}
    missing: set[str] = set()
    for wish in listed:
        folder = os.path.dirname(wish.path) if wish.node.kind != "absent" else "/"
        while folder not in explicit and folder not in missing and not os.path.lexists(folder):
            missing.add(folder)
            folder = os.path.dirname(folder)
    return [Wish(folder, Node("directory", mode=0o755)) for folder in sorted(missing)]


def _empty_folders(record: Record, listed: list[Wish]) -> list[Wish]:
    """Return the directories we once made for files that are no longer wanted there."""
    wanted = {wish.path for wish in listed if wish.node.kind != "absent"}
    wanted |= {parent for path in wanted for parent in _above(path)}
    left = (folder for folder in sorted(record.folders, reverse=True) if folder not in wanted)
    leaving = set(record.files)
    for folder in left:
        if _holds_only(folder, leaving):
            leaving.add(folder)
    empty = sorted(leaving - set(record.files), reverse=True)
    return [Wish(folder, ABSENT) for folder in empty]


def _above(path: str) -> Iterator[str]:
    while (path := os.path.dirname(path)) != "/":
        yield path


def _holds_only(folder: str, leaving: set[str]) -> bool:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return all(os.path.join(folder, name) in leaving for name in names)


def diff(change: Change, vault: Vault, ours: Container[str]) -> dict[str, str]:
    """Return Ansible's diff of a change, without any secret; `ours` are the managed paths."""
    wish, path = change.wish, change.wish.path
    before, after = _describe(change.before), _describe(wish.node)
    if wish.node.content != change.before.content:
        pair = ("(secret)\n", "(other secret)\n") if wish.secret else _texts(change, vault)
        if path not in ours or wish.node.kind == "absent" or PLACEHOLDER.search(wish.shown):
            pair = (_without_strange_lines(*pair), pair[1])
        before += pair[0] if change.before.kind == "file" else ""
        after += pair[1] if wish.node.kind == "file" else ""
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _without_strange_lines(before: str, after: str) -> str:
    """Return a former content without the lines that go: nobody knows which of them are secret."""
    stay = set(after.splitlines())
    kept = [line if line in stay else HIDDEN for line in before.splitlines()]
    shown = (line for line, above in zip(kept, ["", *kept]) if line != HIDDEN or line != above)
    return "".join(f"{line}\n" for line in shown)


def speakable(text: str, changes: Iterable[Change], wished: Iterable[Wish], vault: Vault) -> str:
    """Return a program's last words without secrets and without lines of secret files."""
    contents = [wish.node.content for wish in wished if wish.secret]
    contents += [_leaving(change) for change in changes if _holds_secrets(change.wish)]
    return hide_lines(vault.mask(text), contents)


def _holds_secrets(wish: Wish) -> bool:
    return wish.secret or bool(PLACEHOLDER.search(wish.shown))


def _leaving(change: Change) -> bytes:
    """Return the former lines that go: among them are the secrets that nobody knows any more."""
    stay = set(change.wish.node.content.splitlines())
    lines = change.before.content.splitlines()
    return b"\n".join(line for line in lines if line not in stay)


def _texts(change: Change, vault: Vault) -> tuple[str, str]:
    before = change.before.content.decode("utf-8", "replace")
    after = change.wish.shown.decode("utf-8", "replace")
    if "\0" in before + after:
        return "(binary)\n", "(other binary)\n"
    return vault.mask(before), vault.mask(after)


def _describe(node: Node) -> str:
    if node.kind == "absent":
        return ""
    if node.kind == "link":
        return f"link to {node.target}\n"
    owner = "new account" if NOBODY_YET in (node.uid, node.gid) else f"{node.uid}:{node.gid}"
    return f"{node.kind} {node.mode:04o} {owner}\n"
