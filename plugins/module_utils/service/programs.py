# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and databases in a few words, and the files and commands that make them true.

Each version of a program has a directory of its own, and the link `current` leads to the one that
runs. It is complete before the link is set, and the version before it stays, for the way back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .model import Command, Download, Draft, File, Ownership, Reaction, ServiceError
from .pip import PIP

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z_][a-z0-9_-]*")
_SYSTEM_PYTHON = "/usr/bin/python3"
_NEVER_IMPORTED = "/(tests?|geodata|carrierdata|tzdata)/"
_TIMEOUT = 1800.0


def check_program(entry: dict[str, Any]) -> None:
    """Refuse a program that cannot be, with one sentence."""
    path = entry["path"]
    if not _VERSION.fullmatch(entry["version"]):
        raise ServiceError(f"{path}: version {entry['version']!r} must be a plain version")
    if entry["requirements"] is None and not _SHA256.fullmatch(entry["sha256"] or ""):
        raise ServiceError(f"{path}: sha256 must be the 64 small hexadecimal digits of its file")


def directory(entry: dict[str, Any]) -> str:
    """Return where this version lies; other content under the same version is another one."""
    content = f"-{entry['sha256'][:12]}" if entry["sha256"] else ""
    return f"{entry['path']}/{entry['version']}{content}"


def requirements_path(entry: dict[str, Any]) -> str:
    """Return where the requirements of a venv lie on the host."""
    return f"{os.path.normpath(entry['path'])}/requirements-{entry['version']}.txt"


def files_of(entry: dict[str, Any], content: bytes | None, reaction: Reaction) -> Iterator[File]:
    """Yield the requirements of a venv, and the link to the version that runs."""
    if entry["requirements"] is not None:
        yield _file(requirements_path(entry), reaction, content=content or b"")
    yield _file(f"{entry['path']}/current", reaction, link=directory(entry))


def _file(
    path: str, reaction: Reaction, *, content: bytes | None = None, link: str | None = None
) -> File:
    """Return a file, or a link that is set after the commands."""
    ownership, late = Ownership("root", "root", 0o644), link is not None
    return File(path, content, link, ownership, secret=False, reaction=reaction, late=late)


def download_of(entry: dict[str, Any], folder: Path) -> Download | None:
    """Return what must come to this folder of the host before this version can be there."""
    if entry["requirements"] is not None:
        return None
    source, is_url, sha256 = (
        entry["url"] or entry["file"],
        entry["url"] is not None,
        entry["sha256"],
    )
    return Download(source, is_url, sha256, waiting=str(folder / sha256), target=directory(entry))


def draft_of(entry: dict[str, Any]) -> Draft:
    """Return the directory in which this version grows."""
    place = directory(entry)
    is_venv = entry["requirements"] is not None
    return Draft(place, _complete(entry)) if is_venv else Draft(f"{place}.new", whole="")


def _complete(entry: dict[str, Any]) -> str:
    """Return what stands in a venv once all is installed for this Python."""
    python = os.path.basename(os.path.realpath(_SYSTEM_PYTHON))  # python3.13
    return f"{directory(entry)}/lib/{python}/site-packages/.homestead-complete"


def commands_of(
    entry: dict[str, Any], download: Download | None, reaction: Reaction
) -> Iterator[Command]:
    """Yield what makes this version, of a download unless it is a venv."""
    if download is None:
        yield from _venv(entry, reaction)
    else:
        yield from _unpacking(entry, download, reaction)
    yield _forgetting(entry["path"], directory(entry))


def _venv(entry: dict[str, Any], reaction: Reaction) -> Iterator[Command]:
    """Yield the commands of a venv. After an upgrade of Debian its libraries are missing."""
    place, requirements = directory(entry), requirements_path(entry)
    complete = _complete(entry)
    libraries = os.path.dirname(complete)
    installing = f"--python {place}/bin/python install --quiet --no-input"
    how = "--no-cache-dir --no-compile --no-deps --only-binary=:all: --require-hashes"
    compiling = f"{place}/bin/python -m compileall -q -j0 -x {_NEVER_IMPORTED} {libraries}"
    making = f"{_SYSTEM_PYTHON} -I -m venv --without-pip {place}"
    yield _command(making.split(), reaction, creates=libraries)
    for words in (
        [*PIP, *installing.split(), *how.split(), f"--requirement={requirements}"],
        compiling.split(),
        ["touch", complete],
    ):
        yield _command(words, reaction, creates=complete, inputs=(requirements,), rerun=True)


def _unpacking(entry: dict[str, Any], download: Download, reaction: Reaction) -> Iterator[Command]:
    """Yield the commands by which a download becomes a directory, whole or not at all."""
    place, waiting = download.target, download.waiting
    new, name = f"{place}.new", os.path.basename(entry["path"])
    tar = f"tar --extract --no-same-owner --strip-components={entry['strip']}"
    install = ["install", "--mode=0755", waiting, f"{new}/{name}"]
    for words in (
        ["rm", "-rf", new],
        ["install", "--directory", new],
        [*tar.split(), f"--file={waiting}", f"--directory={new}"] if entry["unpack"] else install,
        ["rm", waiting],
        ["mv", "--no-target-directory", new, place],
    ):
        yield _command(words, reaction, creates=place)


def _forgetting(path: str, place: str) -> Command:
    """Return the command that takes away all but this version and the one before it."""
    current = f"{path}/current"
    which = f"{path} -mindepth 1 -maxdepth 1 -type d ! -path {place} ! -samefile {current}/."
    argv = ["find", *which.split(), "-exec", "rm", "-rf", "{}", "+"]
    settled = f"test ! -e {current} -o {current} -ef {place}"
    return _command(argv, Reaction(), unless=tuple(settled.split()))


def database_commands(entry: dict[str, Any], reaction: Reaction) -> Iterator[Command]:
    """Yield what makes a PostgreSQL database and the role that owns it, if they are missing."""
    name, owner = entry["name"], entry["owner"]
    for word in (name, owner):
        if not _NAME.fullmatch(word):
            raise ServiceError(f"database or owner {word!r} must be small letters, digits, _ and -")
    programs, port = f"/usr/lib/postgresql/{entry['version']}/bin", f"--port={entry['port']}"
    ask = (f"{programs}/psql", "--no-psqlrc", port)
    form = ("--encoding=UTF8", f"--locale={entry['locale']}", "--template=template0")
    yield _command(
        [f"{programs}/createuser", port, owner],
        reaction,
        unless=(*ask, "--dbname=postgres", f'--command=set role "{owner}"'),
        user="postgres",
    )
    yield _command(
        [f"{programs}/createdb", port, f"--owner={owner}", *form, name],
        reaction,
        unless=(*ask, f"--dbname={name}", "--command="),
        user="postgres",
    )


def _command(argv: list[str], reaction: Reaction, **more: Any) -> Command:
    given = {"creates": None, "unless": (), "inputs": (), "rerun": False, "user": None, **more}
    return Command(tuple(argv), environment=(), timeout=_TIMEOUT, reaction=reaction, **given)
