# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands at a path, and the atomic way to make something else stand there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from .model import ServiceError

OURS = (os.geteuid(), os.getegid())  # root, except where a test plays the host
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_WRITABLE_BY_OTHERS = 0o022


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
    """Return what stands at a path; a link itself, not what it leads to."""
    try:
        with _place(path) as (folder, name):
            return _read(folder, name, path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT


def _read(folder: int, name: str, path: str) -> Node:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return Node("link", target=os.readlink(name, dir_fd=folder))
    node = Node("directory", b"", "", status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
    if stat.S_ISDIR(status.st_mode):
        return node
    if not stat.S_ISREG(status.st_mode):
        raise ServiceError(f"{path} is neither a file nor a link nor a directory")
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with open(opened, "rb") as stream:
        return replace(node, kind="file", content=stream.read())


@contextlib.contextmanager
def _place(path: str) -> Iterator[tuple[int, str]]:
    """Open the directory in which a path stands, and return it with the path's last name.

    An account that owns a directory could put a link into it, and have root change what that leads
    to. So a link on the way is followed only where nobody but root could have made it.
    """
    above, name = os.path.split(path)
    folder = os.open("/", _FOLDER)
    try:
        for step in filter(None, above.split("/")):
            inner = _step(folder, step)
            os.close(folder)
            folder = inner
        yield folder, name
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(folder)


def _step(folder: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        is_link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        if not (is_link and _is_roots(folder)):
            raise
    return os.open(name, _FOLDER, dir_fd=folder)


def _is_roots(folder: int) -> bool:
    status = os.fstat(folder)
    return status.st_uid in (0, OURS[0]) and not status.st_mode & _WRITABLE_BY_OTHERS


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
        return
    with _place(path) as (folder, name):
        if node.kind == "directory":
            _write_directory(folder, name, node)
        elif node.kind == "link":
            _remove(folder, _draft(name))
            os.symlink(node.target, _draft(name), dir_fd=folder)
            _put_in_place(folder, name)
        else:
            _write_file(folder, name, node)


def clear_draft(path: str) -> None:
    """Remove the file that waited under another name for its rename."""
    above, name = os.path.split(path)
    remove(os.path.join(above, _draft(name)))


def remove(path: str) -> None:
    """Remove the file, link or empty directory at `path`, if there is one."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _place(path) as place:
        _remove(*place)


def name_as_well(path: str, other: str) -> None:
    """Give what stands at a path a second name on the same file system."""
    with _place(path) as (folder, name), _place(other) as (there, its):
        os.link(name, its, src_dir_fd=folder, dst_dir_fd=there, follow_symlinks=False)


def put_back(path: str, backup: str) -> None:
    """Let what has a second name as a backup stand at a path again."""
    with _place(backup) as (there, its), _place(path) as (folder, name):
        _remove(folder, _draft(name))
        os.link(its, _draft(name), src_dir_fd=there, dst_dir_fd=folder, follow_symlinks=False)
        _put_in_place(folder, name)


def _draft(name: str) -> str:
    return f".{name}.homestead-new"


def _remove(folder: int, name: str) -> None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        os.rmdir(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)
    os.fsync(folder)


def _put_in_place(folder: int, name: str) -> None:
    os.replace(_draft(name), name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _write_directory(folder: int, name: str, node: Node) -> None:
    """Make a directory, or give one that stands there its owner and mode."""
    stands = _stands(folder, name)
    place = name if stands else _draft(name)
    if not stands:
        _remove(folder, place)
        os.mkdir(place, 0o700, dir_fd=folder)
    opened = os.open(place, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        os.fchown(opened, node.uid, node.gid)
        os.fchmod(opened, node.mode)
    finally:
        os.close(opened)
    if not stands:
        _put_in_place(folder, name)


def _stands(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write_file(folder: int, name: str, node: Node) -> None:
    _remove(folder, _draft(name))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(_draft(name), flags, 0o600, dir_fd=folder), "wb") as stream:
            stream.write(node.content)
            os.fchown(stream.fileno(), node.uid, node.gid)
            os.fchmod(stream.fileno(), node.mode)
            stream.flush()
            os.fsync(stream.fileno())
        _put_in_place(folder, name)
    except OSError:
        _remove(folder, _draft(name))
        raise
