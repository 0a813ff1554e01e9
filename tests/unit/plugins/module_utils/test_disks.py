# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on one file system or on several."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.host.disks import (
    MEGABYTE,
    PLACES,
    Disk,
    faults,
    read,
)


def disks(**free: int) -> list[Disk]:
    """Return the disk of each place, for megabytes that are free on the root and other mounts."""
    others = {f"/{name}": room for name, room in free.items() if name != "root"}
    mounts = [next((m for m in others if place.startswith(m)), "/") for place in PLACES]
    return [Disk(mount, others.get(mount, free["root"]) * MEGABYTE) for mount in mounts]


@pytest.mark.parametrize(
    ("found", "small"),
    [
        pytest.param(disks(root=3072), {}, id="one disk"),
        pytest.param(disks(root=3071), {"/": (3071, 3072)}, id="one disk, too small"),
        pytest.param(disks(root=1536, var=1536), {}, id="with one for data"),
        pytest.param(disks(root=9999, var=100), {"/var": (100, 1536)}, id="a small /var"),
        pytest.param(disks(root=9999, opt=200), {"/opt": (200, 768)}, id="a small /opt"),
        pytest.param(
            disks(root=9, var=9, opt=9),
            {"/": (9, 768), "/opt": (9, 768), "/var": (9, 1536)},
            id="all of them",
        ),
    ],
)
def test_each_file_system_has_room_for_its_share(
    found: list[Disk], small: dict[str, tuple[int, int]]
) -> None:
    assert faults(found, 3072) == [
        f"The host has {free} MB free on the file system {mount} and needs {needed} MB there; "
        "make room or lower matrix_minimum_disk_mb."
        for mount, (free, needed) in small.items()
    ]


def test_two_looks_at_a_file_system_differ_a_little() -> None:
    found = [Disk("/", 1000 * MEGABYTE + moment) for moment in range(4)]
    assert len(faults(found, 3072)) == 1


def test_a_place_that_is_elsewhere_is_read_there(tmp_path: Path) -> None:
    """A link leads to a disk of data; what does not exist yet is where it will be made."""
    root = tmp_path / "root"
    (root / "var/lib").mkdir(parents=True)
    (root / "var/lib/postgresql").symlink_to("/dev/shm")
    found = read(root)
    assert [disk.mount for disk in found] == ["/", "/", "/dev/shm", "/"]
    assert all(disk.free > 0 for disk in found)
