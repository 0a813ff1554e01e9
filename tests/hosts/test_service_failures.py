# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure at any step leaves the host as it was, and speaks with the program's own words.

Each release has each failure once: on a host where the service runs, or on a bare one.
"""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from service_host import UNIT, ServiceHost, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    Failure = tuple[Callable[[ServiceHost], None], Task, str]

DOWNLOADS = "/var/lib/homestead/downloads"
LARGE = b"#" * 100_000
LARGE_SHA256 = hashlib.sha256(LARGE).hexdigest()
PROGRAM = {"path": "/opt/demo", "version": "2", "file": "demo", "sha256": LARGE_SHA256}
GOOD: Task = {
    "name": "demo",
    "secrets": {"demo": {}},
    "directories": [{"path": "/var/lib/demo", "mode": "0750"}],
    "files": [
        {"path": "/etc/systemd/system/demo.service", "content": UNIT.format(version="good")},
        {"path": "/etc/demo/demo.conf", "content": "good @@homestead-secret:demo@@\n"},
        {"path": "/etc/demo/old.conf", "content": "old\n"},
        {"path": "/etc/demo/current", "link": "old.conf"},
    ],
    "units": ["demo.service"],
}


def changed(conf: str, *, version: str = "changed", **more: Any) -> Task:
    """Return the good service with another file, and one of each kind of change besides."""
    task = copy.deepcopy(GOOD)
    task["files"][0]["content"] = UNIT.format(version=version)
    task["files"][1]["content"] = conf
    task["files"][2:] = [
        {"path": "/etc/demo/new.d/new.conf", "content": "new\n", "mode": "0600"},
        {"path": "/etc/demo/current", "link": "new.d/new.conf"},
    ]
    return {**task, **more}


def full_disk(host: ServiceHost) -> None:
    """Put the configuration on a disk with room for little more than it has."""
    host.shell("mkdir -p /etc/demo; mount -t tmpfs -o size=64k,mode=755 tmpfs /etc/demo")


def full_disk_for_programs(host: ServiceHost) -> None:
    """Give versions a disk that is too small for the one that has come."""
    host.shell("mkdir -p /opt/demo; mount -t tmpfs -o size=64k,mode=755 tmpfs /opt/demo")
    host.run("install", "-D", "/dev/stdin", f"{DOWNLOADS}/{LARGE_SHA256}", stdin=LARGE)


def nothing(_unused: ServiceHost) -> None:
    return


def command(*argv: str) -> dict[str, Any]:
    return {"commands": [{"argv": ["sh", "-c", *argv]}]}


FAILURES = [
    pytest.param(full_disk, changed("x" * 100_000), "No space left on device", id="disk full"),
    pytest.param(
        full_disk_for_programs,
        changed("x", programs=[PROGRAM]),
        "No space left on device",
        id="disk of programs full",
    ),
    pytest.param(
        nothing,
        changed("x", validate=[{"argv": ["sh", "-c", "echo line 7 is wrong >&2; exit 1"]}]),
        "line 7 is wrong",
        id="validator says no",
    ),
    pytest.param(
        nothing,
        changed("x", **command("echo the database is gone; exit 2")),
        "the database is gone",
        id="command fails",
    ),
    pytest.param(nothing, changed("broken"), "demo: cannot parse its file", id="unit exits"),
    pytest.param(nothing, changed("dying"), "demo: dies a little later", id="unit dies later"),
    pytest.param(
        nothing,
        changed("x", healthy=[{"port": 9, "timeout": 1}]),
        "no health within 1 s",
        id="health fails",
    ),
    pytest.param(
        nothing,
        changed("x", units=["demo.service", "absent.service"]),
        "absent.service",
        id="unit does not exist",
    ),
]


PAIRS = [
    pytest.param([each.values for each in pair], id=" or ".join(str(each.id) for each in pair))
    for pair in zip(FAILURES[::2], FAILURES[1::2])
]


@pytest.mark.parametrize("pair", PAIRS)
def test_running_service_is_as_before(service_host: ServiceHost, pair: list[Failure]) -> None:
    prepare, task, words = pair[service_host.parity]
    prepare(service_host)
    service_host.apply(GOOD)
    before, read = service_host.snapshot(), service_host.run("cat", "/run/demo/read")
    result = service_host.apply(task)
    assert result["failed"]
    assert words in result["msg"]
    assert "Put back: /etc/" in result["msg"]
    assert service_host.snapshot() == before
    assert service_host.unit() == "active enabled"
    assert service_host.run("cat", "/run/demo/read") == read
    assert not service_host.apply(GOOD)["changed"]


@pytest.mark.parametrize("pair", PAIRS)
def test_nothing_is_left_on_a_bare_host(service_host: ServiceHost, pair: list[Failure]) -> None:
    prepare, task, words = pair[1 - service_host.parity]
    prepare(service_host)
    before = service_host.snapshot()
    result = service_host.apply(task)
    assert result["failed"]
    assert words in result["msg"]
    assert service_host.snapshot() == before
    assert service_host.unit().split()[0] == "inactive"


def test_unit_is_not_touched_when_the_validator_says_no(service_host: ServiceHost) -> None:
    service_host.apply(GOOD)
    before = service_host.invocation()
    assert service_host.apply(changed("x", validate=[{"argv": ["false"]}]))["failed"]
    assert service_host.invocation() == before


def test_a_foreign_unit_that_cannot_reload_gets_its_files_back(service_host: ServiceHost) -> None:
    service_host.apply(GOOD)
    service_host.shell("rm /etc/demo/demo.conf; ln -s /etc/guest.conf /etc/demo/demo.conf")
    guest: Task = {"name": "guest", "files": [{"path": "/etc/guest.conf", "content": "fine\n"}]}
    guest["files"][0]["on_change"] = {"reload": ["demo.service"]}
    assert service_host.apply(guest)["units"] == {"demo.service": "reloaded"}
    guest["files"][0]["content"] = "unloadable\n"
    assert service_host.apply(guest)["failed"]
    assert service_host.run("cat", "/etc/guest.conf") == "fine"
    assert service_host.run("cat", "/run/demo/read") == "fine"
    service_host.apply({"name": "guest", "state": "absent"})


def test_start_limit_is_no_obstacle(service_host: ServiceHost) -> None:
    service_host.apply(GOOD)
    for _unused in range(6):
        assert service_host.apply(changed("broken"))["failed"]
    assert service_host.unit() == "active enabled"


def test_a_full_disk_for_backups_stops_everything_before_the_first_write(
    service_host: ServiceHost,
) -> None:
    service_host.apply(GOOD)
    service_host.shell(
        "cp -a /var/lib/homestead /var/lib/demo/saved"
        " && mount -t tmpfs -o size=16k,mode=755 tmpfs /var/lib/homestead"
        " && cp -a /var/lib/demo/saved/. /var/lib/homestead"
        " && ! head -c 100000 /dev/zero > /var/lib/homestead/filler 2>/dev/null"
    )
    before = service_host.snapshot()
    result = service_host.apply(changed("x"))
    service_host.shell("rm -f /var/lib/homestead/filler")
    after = service_host.snapshot()
    service_host.shell("umount /var/lib/homestead")
    assert result["failed"]
    assert "No space left on device" in result["msg"]
    assert {line for line in before if "filler" not in line} == after
