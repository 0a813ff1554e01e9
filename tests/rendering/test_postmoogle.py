# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for the e-mail bridge, judged by systemd where that can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exposure import assert_low, needs_systemd_analyze
from nginx_rendering import Role, described

SHA256 = "a" * 64


def role(**inputs: Any) -> Role:
    mail = {"postmoogle_domains": ["example.com", "example.org"], "postmoogle_sha256": SHA256}
    given = {"components": ["postmoogle"], "bridge_admins": ["@alice:example.com"], **mail}
    settings = inputs.pop("postmoogle_settings", {})
    host = {"architecture": "aarch64"}
    return Role(
        "postmoogle",
        matrix_site=described(**{**given, **inputs}),
        matrix_host=host,
        postmoogle_settings=settings,
    )


@needs_systemd_analyze
def test_its_exposure_is_low(tmp_path: Path) -> None:
    assert_low("postmoogle.service", role().render("postmoogle.service.j2"), tmp_path)


def test_its_environment_follows_from_the_description() -> None:
    lines = role(max_upload_mb=20).render("environment.j2").splitlines()
    assert 'POSTMOOGLE_DOMAINS="example.com example.org"' in lines
    assert 'POSTMOOGLE_ADMINS="@alice:example.com"' in lines
    assert 'POSTMOOGLE_MAXSIZE="20"' in lines
    assert 'POSTMOOGLE_TLS_REQUIRED="true"' in lines
    assert 'POSTMOOGLE_PASSWORD="@@homestead-secret:postmoogle_password@@"' in lines


def test_settings_are_quoted_for_systemd() -> None:
    given = {"POSTMOOGLE_RELAY_PASSWORD": 'a "b" \\ $c', "POSTMOOGLE_RELAY_PORT": 587}
    lines = role(postmoogle_settings=given).render("settings.j2").splitlines()
    assert lines[1:] == [
        r'POSTMOOGLE_RELAY_PASSWORD="a \"b\" \\ $c"',
        'POSTMOOGLE_RELAY_PORT="587"',
    ]


def test_the_release_is_that_of_the_architecture() -> None:
    program = role().value("_postmoogle_program")
    assert program["url"].endswith("/v0.9.31/postmoogle_Linux_arm64.tar.gz")
    assert (program["unpack"], program["sha256"]) == (True, SHA256)


def test_a_program_of_the_controller_takes_its_place() -> None:
    program = role(postmoogle_file="/srv/postmoogle").value("_postmoogle_program")
    assert program["file"] == "/srv/postmoogle"
    assert "url" not in program
