# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands at a path, and the atomic way to make something else stand there."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from typing import Literal

from .model import ServiceError

OURS = (os.geteuid(), os.getegid())  # root, except where a test plays the host


@dataclass(frozen=True)
class Node:
    """What stands at a path; `uid` and `gid` are -1 where the account does not exist yet."""

    kind: Literal["absent", "file", "link", "directory"]
    content: bytes = b""
    target: str = ""
    uid: int = OURS[0]
    gid: int = OURS[1]
    mode: int = 0

    def fingerprint(self) -> str:
        head = f"{self.kind}:{self.target}:{self.uid}:{self.gid}:{self.mode:o}:"
        return hashlib.sha256(head.encode() + self.content).hexdigest()


ABSENT = Node("absent")


def read(path: str) -> Node:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    if stat.S_ISLNK(status.st_mode):
        return Node("link", target=os.readlink(path))
    node = Node("directory", b"", "", status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
    if stat.S_ISDIR(status.st_mode):
        return node
    if not stat.S_ISREG(status.st_mode):
        raise ServiceError(f"{path} is neither a file nor a link nor a directory")
    with open(path, "rb") as stream:
        return replace(node, kind="file", content=stream.read())


def digest(path: str) -> str:
    """Return the fingerprint of a foreign file's content, following links."""
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return "absent"
    except IsADirectoryError:
        raise ServiceError(f"{path} is a directory where a file is expected") from None


def write(path: str, node: Node) -> None:
    """Make `node` stand at `path`; whoever looks sees the old or the new one, never a part."""
    if node.kind == "absent":
        remove(path)
    elif node.kind == "directory":
        _write_directory(path, node)
    elif node.kind == "link":
        clear_draft(path)
        os.symlink(node.target, draft(path))
        put_in_place(path)
    else:
        _write_file(path, node)


def draft(path: str) -> str:
    """Return the name under which a new file waits for its rename."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.homestead-new")


def clear_draft(path: str) -> None:
    remove(draft(path))


def put_in_place(path: str) -> None:
    os.replace(draft(path), path)
    sync_folder(path)


def remove(path: str) -> None:
    """Remove the file, link or empty directory at `path`, if there is one."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            os.rmdir(path)
        else:
            os.unlink(path)
        sync_folder(path)
    except (FileNotFoundError, NotADirectoryError):
        return


def sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_directory(path: str, node: Node) -> None:
    """Make a directory, or give one that stands there its owner and mode."""
    stands = os.path.lexists(path)
    place = path if stands else draft(path)
    if not stands:
        clear_draft(path)
        os.mkdir(place, 0o700)
    os.chown(place, node.uid, node.gid)
    os.chmod(place, node.mode)
    if not stands:
        put_in_place(path)


def _write_file(path: str, node: Node) -> None:
    clear_draft(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(draft(path), flags, 0o600), "wb") as stream:
            stream.write(node.content)
            os.fchown(stream.fileno(), node.uid, node.gid)
            os.fchmod(stream.fileno(), node.mode)
            stream.flush()
            os.fsync(stream.fileno())
        put_in_place(path)
    except OSError as error:
        clear_draft(path)
        error.filename = path
        raise
