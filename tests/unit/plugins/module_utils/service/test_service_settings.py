# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the owner of a host set up for programs of their own: of it only ways to others hold."""

from __future__ import annotations

import os

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import run_program
from ansible_collections.homestead.matrix.plugins.module_utils.service.pip import whence

OWNERS = {
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "PGHOST": "db.example.com",
    "PIP_USER": "1",
    "TAR_OPTIONS": "--verbose",
    "LANGUAGE": "de",
    "LC_MESSAGES": "xx_YY.UTF-8",
    "BASH_ENV": "/nowhere",
    "OPENSSL_CONF": "/nowhere",
}
WAYS = {
    "HOME": "/root",
    "TMPDIR": "/var/tmp",
    "https_proxy": "http://proxy.example.com:3128",
    "NO_PROXY": "example.com",
    "SSL_CERT_FILE": "/etc/ssl/ours.pem",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/ours.pem",
}


def seen(monkeypatch: pytest.MonkeyPatch, user: str | None = None) -> dict[str, str]:
    """Return the variables that a program sees of the owner's."""
    for name, value in {**OWNERS, **WAYS}.items():
        monkeypatch.setenv(name, value)
    lines = run_program(["env"], user=user, environment={"ASKED": "yes"}).output.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_programs_see_ways_to_others_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = seen(monkeypatch)
    assert {name: variables.get(name) for name in WAYS} == WAYS
    assert not set(OWNERS) & set(variables)
    assert (variables["LC_ALL"], variables["ASKED"]) == ("C.UTF-8", "yes")


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_another_user_does_not_get_our_folder_for_what_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = seen(monkeypatch, user="nobody")
    assert "TMPDIR" not in variables
    assert variables["USER"] == "nobody"


@pytest.mark.parametrize(
    ("listed", "variables"),
    [
        pytest.param("", {}, id="nothing is set"),
        pytest.param(
            "global.index-url='https://pip.example.com/simple'\nglobal.cert='/etc/ssl/ours.pem'\n",
            {"PIP_INDEX_URL": "https://pip.example.com/simple", "PIP_CERT": "/etc/ssl/ours.pem"},
            id="a mirror and its authority",
        ),
        pytest.param(
            "global.user='true'\ninstall.target='/srv'\nglobal.no-binary=':all:'\n"
            "global.require-virtualenv='true'\n:env:.prefix='/srv'\n",
            {},
            id="where and what to install",
        ),
        pytest.param(
            ":env:.index-url='c'\nglobal.index-url='a'\ninstall.index-url='b'\n"
            "freeze.timeout='1'\n",
            {"PIP_INDEX_URL": "c"},
            id="the environment outdoes the files",
        ),
        pytest.param(
            "global.index-url='a'\ninstall.index-url='b'\n",
            {"PIP_INDEX_URL": "b"},
            id="the command's own outdoes what is for all",
        ),
        pytest.param(
            "global.extra-index-url='\\nhttps://a.example.com\\nhttps://b.example.com?x=1'\n",
            {"PIP_EXTRA_INDEX_URL": "\nhttps://a.example.com\nhttps://b.example.com?x=1"},
            id="several lines",
        ),
    ],
)
def test_whence_packages_come(listed: str, variables: dict[str, str]) -> None:
    assert whence(listed) == variables
