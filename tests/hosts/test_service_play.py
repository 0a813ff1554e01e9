# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service through a real play, on a host that has nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import ROOT
from service_host import ServiceHost

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "correct-horse-battery-staple"
PATHS = ("/etc/demo/demo.conf", "/etc/demo/demo.json", "/etc/demo/password")


@dataclass(frozen=True)
class Story:
    """What an operator sees, run after run, at the highest verbosity."""

    dry_run_before: str
    first: str
    second: str
    dry_run_after: str
    secret: str
    untouched: bool


def play(host: ServiceHost, book: str, *options: str, status: int = 0) -> str:
    path = ROOT / f"tests/hosts/service_play/{book}.yml"
    run = host.lab.play_alone(path, "-vvv", "--diff", *options, f"-edemo_password={PASSWORD}")
    assert run.status == status, run.output[-3000:]
    return run.output


@pytest.fixture(scope="module")
def story(bare_host: ServiceHost) -> Iterator[Story]:
    before = bare_host.snapshot()
    dry_run_before = play(bare_host, "site", "--check")
    untouched = bare_host.snapshot() == before
    runs = [play(bare_host, "site", *options) for options in ([], [], ["--check"])]
    secret = bare_host.run("cat", "/etc/homestead/secrets/demo")
    yield Story(dry_run_before, *runs, secret, untouched)
    bare_host.apply({"name": "demo", "state": "absent", "units": ["demo.service"]})
    bare_host.shell(
        "rm -rf /var/lib/homestead /etc/homestead /var/lib/demo /opt/demo; userdel demo"
    )


def changes(output: str) -> int:
    found = re.search(r"changed=(\d+)", output)
    assert found, output
    return int(found.group(1))


def test_a_dry_run_on_a_bare_host_tells_everything_and_writes_nothing(story: Story) -> None:
    assert story.untouched
    assert changes(story.dry_run_before) == 1
    assert all(f"+++ after: {path}" in story.dry_run_before for path in PATHS)
    assert re.search(r'"missing": \[\s+"ncurses-term"', story.dry_run_before)
    assert '"demo.service": "started"' in story.dry_run_before


def test_the_first_run_does_what_the_dry_run_said(story: Story) -> None:
    said, done = (
        re.findall(r"^\+\+\+ after: (.*)$", run, re.MULTILINE)
        for run in (story.dry_run_before, story.first)
    )
    assert said == done
    assert changes(story.first) == 1


def test_the_second_run_and_its_dry_run_change_nothing(story: Story) -> None:
    assert (changes(story.second), changes(story.dry_run_after)) == (0, 0)


def test_the_service_answers(story: Story, bare_host: ServiceHost) -> None:
    assert story.first
    assert bare_host.unit() == "active enabled"
    assert "homestead-tls" in bare_host.run("id", "-nG", "demo")
    assert story.secret in bare_host.run("cat", "/etc/demo/demo.json")


def test_a_program_came_once_and_another_file_is_refused(
    story: Story, bare_host: ServiceHost
) -> None:
    assert "get_url" in story.first
    assert "get_url" not in story.second
    before = bare_host.snapshot()
    output = play(bare_host, "site", f"-edemo_sha256={'0' * 64}", status=2)
    assert "demo-tool did not come: The checksum for" in output
    assert bare_host.snapshot() == before
    assert bare_host.shell("/opt/demo/current/demo") == "hello from the tool"


def test_no_secret_is_seen(story: Story, bare_host: ServiceHost) -> None:
    outputs = [story.dry_run_before, story.first, story.second, story.dry_run_after]
    seen = "".join(outputs) + bare_host.run("journalctl", "--no-pager")
    assert story.secret not in seen
    assert PASSWORD not in seen


def test_a_template_is_what_the_module_everybody_knows_writes(
    story: Story, bare_host: ServiceHost
) -> None:
    assert story.first
    assert changes(play(bare_host, "compare", "--check")) == 0
