# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is room where the Matrix server needs it, which may be on several file systems."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PLACES = ("/usr", "/opt/matrix-synapse", "/var/lib/postgresql", "/var/lib/matrix-synapse")
"""Where programs, Synapse's versions, the database and the media go: a quarter for each."""
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Disk:
    """A file system, and what is free on it for programs other than root's, in bytes."""

    mount: str
    free: int


def faults(disks: Collection[Disk], needed_mb: int) -> list[str]:
    """Return a sentence for each file system that is too small for the places on it."""
    mounts = [disk.mount for disk in disks]
    free = {disk.mount: disk.free // MEGABYTE for disk in disks}
    needs = {mount: needed_mb * mounts.count(mount) // len(PLACES) for mount in mounts}
    return [
        f"The host has {free[mount]} MB free on the file system {mount} and needs {needed} MB "
        "there; make room or lower matrix_minimum_disk_mb."
        for mount, needed in needs.items()
        if free[mount] < needed
    ]


def read(root: Path) -> tuple[Disk, ...]:
    """Return the file system of each place below a root, or of what it will be made in."""
    return tuple(_disk(root, root / place.lstrip("/")) for place in PLACES)


def existing(path: Path) -> Path:
    """Return the path, or the nearest directory above it that is there."""
    while not path.exists():
        path = path.parent
    return path


def free_at(path: Path) -> int:
    """Return what is free at a path for programs other than root's, in bytes."""
    said = os.statvfs(path)
    return said.f_bavail * said.f_frsize


def _disk(root: Path, place: Path) -> Disk:
    folder = existing(place.resolve())
    free = free_at(folder)
    while folder != root and not folder.is_mount():
        folder = folder.parent
    mount = folder.relative_to(root) if folder.is_relative_to(root) else folder
    return Disk(str(Path("/") / mount), free)
