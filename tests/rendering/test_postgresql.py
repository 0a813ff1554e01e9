# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's settings for hosts of every size, judged by PostgreSQL itself."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nginx_rendering import Role

NOBODY = 65534
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
SIZES = (900, 2048, 8192, 65536)


def render(memory_mb: int = 2048, **given: Any) -> str:
    host = {
        "memory_mb": memory_mb,
        "postgresql": {"version": 17, "cluster": "main", "port": 5433, "shared": False},
    }
    role = Role("postgresql", matrix_host=host, **{"postgresql_settings": {}, **given})
    return role.render("postgresql.conf.j2")


def settings(memory_mb: int = 2048, **given: Any) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) = '(.*)'$", render(memory_mb, **given), re.MULTILINE))


def megabytes(memory_mb: int, name: str) -> int:
    return int(settings(memory_mb)[name].removesuffix("MB"))


@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
@pytest.mark.parametrize("memory_mb", SIZES)
def test_postgresql_takes_it(memory_mb: int, tmp_path: Path) -> None:
    path = tmp_path / "postgresql.conf"
    path.write_text(render(memory_mb))
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    words = [str(PROGRAMS[-1]), "-D", str(tmp_path), "-C", "listen_addresses"]
    identity = {"user": NOBODY} if os.geteuid() == 0 else {}
    done = subprocess.run(words, capture_output=True, text=True, check=False, **identity)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


@pytest.mark.parametrize("memory_mb", SIZES)
def test_it_leaves_memory_for_the_homeserver(memory_mb: int) -> None:
    assert 192 <= megabytes(memory_mb, "shared_buffers") <= min(memory_mb // 4, 8192)
    assert megabytes(memory_mb, "effective_cache_size") <= memory_mb // 2
    assert megabytes(memory_mb, "maintenance_work_mem") <= 1024


def test_a_boot_with_a_little_less_memory_changes_nothing() -> None:
    assert settings(2040) == settings(1990)


def test_it_listens_on_no_address() -> None:
    assert settings()["listen_addresses"] == ""


def test_settings_are_merged_last() -> None:
    assert settings(postgresql_settings={"max_connections": 99})["max_connections"] == "99"


def test_the_port_is_that_of_the_cluster() -> None:
    assert settings(postgresql_settings={"port": 5444})["port"] == "5433"


def test_a_quote_in_a_value_is_doubled() -> None:
    text = render(postgresql_settings={"log_line_prefix": "it's "})
    assert "log_line_prefix = 'it''s '\n" in text
