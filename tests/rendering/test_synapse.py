# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synapse's configuration in every mode, judged by Synapse's own check."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.adoption.old import SCHEMA
from homeserver import (
    FILES,
    HOST,
    MODES,
    PLACEHOLDER,
    PROVIDERS,
    python_of_synapse,
    role,
    settings,
    write,
)

# Synapse checks the files as it does before a start, and says what it understood.
QUESTION = """
import json, sys
from synapse.config.homeserver import HomeServerConfig

def understood(path):
    config = HomeServerConfig.load_config("", ["--config-path", path])
    return {
        "registration": config.registration.enable_registration,
        "unverified": config.registration.enable_registration_without_verification,
        "token": config.registration.registration_requires_token,
        "third party": config.registration.registrations_require_3pid,
        "email": config.email.can_verify_email,
        "upload": config.media.max_upload_size,
        "statistics": config.metrics.report_stats,
        "metrics": config.metrics.enable_metrics,
        "providers": {each.idp_id: each.client_secret for each in config.oidc.oidc_providers},
        "guests": config.registration.allow_guest_access,
        "guests in calls": config.voip.turn_allow_guests,
        "domains": [entry["pattern"] for entry in config.registration.allowed_local_3pids],
        "terms": config.consent.user_consent_at_registration,
        "captcha": config.captcha.enable_registration_captcha,
        "secret of the captcha": config.captcha.recaptcha_private_key,
        "accounts of an address": config.ratelimiting.rc_registration.burst_count,
        "secrets": [
            config.key.form_secret,
            config.key.macaroon_secret_key.decode(),
            config.registration.registration_shared_secret,
            config.voip.turn_shared_secret,
        ],
    }

print(json.dumps([understood(path) for path in sys.argv[1:]]))
"""
ANSWER: dict[str, Any] = {
    "registration": True,
    "unverified": False,
    "token": False,
    "third party": [],
    "email": False,
    "upload": 70 * 1024 * 1024,
    "statistics": False,
    "metrics": False,
    "providers": {},
    "guests": False,
    "guests in calls": False,
    "domains": [],
    "terms": False,
    "captcha": False,
    "secret of the captcha": None,
    "accounts of an address": 20,
    "secrets": [
        "made-synapse_form",
        "made-synapse_macaroon",
        "made-synapse_registration",
        "made-turn",
    ],
}
ANSWERS: dict[str, dict[str, Any]] = {
    "invite": {"token": True},
    "closed": {"registration": False},
    "open": {"unverified": True},
    "closed with e-mail": {"registration": False, "email": True},
    "email": {"third party": ["email"], "email": True},
    "email with an account": {"third party": ["email"], "email": True},
    "email of one domain": {
        "third party": ["email"],
        "email": True,
        "domains": [r"[^@]+@example\.org\Z"],
    },
    "closed with every preset": {
        "registration": False,
        "providers": {f"oidc-{each['id']}": f"made-oidc_{each['id']}" for each in PROVIDERS},
    },
    "closed with single sign-on": {
        "registration": False,
        "providers": {"oidc-club": "made-oidc_club"},
    },
    "open with conditions": {
        "unverified": True,
        "terms": True,
        "captcha": True,
        "secret of the captcha": "made-captcha",
    },
}


@pytest.fixture(scope="session")
def synapse() -> Path:
    """Return the Python of the Synapse that the role installs."""
    return python_of_synapse()


@pytest.fixture(scope="session")
def understood(
    synapse: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Return what one Synapse, which takes seconds to load, understands of every mode."""
    paths = [write(role(mode), tmp_path_factory.mktemp("mode")) for mode in MODES]
    done = subprocess.run(
        [synapse, "-c", QUESTION, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(MODES, json.loads(done.stdout)))


@pytest.mark.parametrize("mode", MODES)
def test_synapse_understands_every_mode(mode: str, understood: dict[str, dict[str, Any]]) -> None:
    assert understood[mode] == {**ANSWER, **ANSWERS[mode]}


def test_the_log_goes_to_the_standard_output(synapse: Path, tmp_path: Path) -> None:
    log = write(role(), tmp_path).with_name("log.yaml")
    script = (
        "import logging.config, sys, yaml; logging.setLoggerClass(logging.Logger);"
        "from synapse.logging.context import LoggingContextFilter;"
        "logging.config.dictConfig(yaml.safe_load(open(sys.argv[1])));"
        "logging.getLogger('synapse').info('said', extra={'request': 'GET-1'});"
        "logging.getLogger('synapse.access.http').info('asked', extra={'request': 'GET-1'})"
    )
    done = subprocess.run([synapse, "-c", script, log], capture_output=True, text=True, check=True)
    assert done.stdout == "INFO synapse GET-1 said\n"


def test_the_version_of_the_tables_is_the_installed_ones(synapse: Path) -> None:
    question = "from synapse.storage.schema import SCHEMA_VERSION; print(SCHEMA_VERSION)"
    done = subprocess.run([synapse, "-c", question], capture_output=True, text=True, check=True)
    assert int(done.stdout) == SCHEMA


ADOPTION: dict[str, Any] = {
    "units": ["chat.service"],
    "drop_ins": [],
    "signing_key": "/srv/chat/signing.key",
    "media": {"path": "/srv/chat/media", "same_disk": False},
    "sqlite": "/srv/chat/homeserver.db",
    "postgresql": {"name": "", "port": 5432},
    "keeps": {"pepper": True, "settings": {"old_signing_keys": {"ed25519:a": {}}}},
}


def test_what_an_adoption_keeps_stays_in_later_runs() -> None:
    adopting, later, without = (
        role(matrix_host={**HOST, **facts}, ansible_check_mode=False)
        for facts in ({"adoption": ADOPTION}, {"adopted": ADOPTION["keeps"]}, {})
    )
    for own in (adopting, later):
        kept = own.value("_synapse_settings")
        assert kept["old_signing_keys"] == {"ed25519:a": {}}
        assert PLACEHOLDER.findall(kept["password_config"]["pepper"]) == ["synapse_pepper"]
        assert own.value("_synapse_secrets")["synapse_pepper"] == {"given": True}
        files = {entry["path"] for entry in own.value("_synapse_adoption_files")}
        assert "/var/lib/homestead/adopted.json" in files
    assert {"old_signing_keys", "password_config"}.isdisjoint(without.value("_synapse_settings"))
    assert "synapse_pepper" not in without.value("_synapse_secrets")


def test_the_mark_of_an_adoption_goes_after_all_that_it_moves() -> None:
    adopting, without = (
        role(matrix_host={**HOST, "adoption": facts}, ansible_check_mode=False)
        for facts in (ADOPTION, {})
    )
    mark = adopting.value("_synapse_adoption_files")[0]
    assert (mark["path"], mark["state"], mark["after_commands"]) == (
        "/var/lib/homestead/adoption.json",
        "absent",
        True,
    )
    programs = [command["argv"][0] for command in adopting.value("_synapse_adoption_commands")]
    assert programs[:2] == ["install", "cp"]
    assert [Path(program).name for program in programs if program.startswith("/opt")] == [
        "python",
        "update_synapse_database",
        "synapse_port_db",
    ]
    assert without.value("_synapse_adoption_commands") == []
    there = {**ADOPTION, "sqlite": "", "postgresql": {"name": "chat", "port": 5434}}
    restoring = role(matrix_host={**HOST, "adoption": there}, ansible_check_mode=False)
    *_others, empty, last = restoring.value("_synapse_adoption_commands")
    assert empty["at_rest"]
    assert "--port=5434 --format=custom chat | runuser -u matrix-synapse" in last["argv"][-1]
    assert "--port=5433 --dbname=synapse" in last["argv"][-1]
    assert len(without.value("_synapse_adoption_files")) == 1


@pytest.mark.parametrize("mode", MODES)
def test_no_secret_stands_in_the_configuration_but_the_one_that_has_no_file(mode: str) -> None:
    found = PLACEHOLDER.findall(json.dumps(settings(mode)))
    assert found == (["smtp"] if mode == "email with an account" else [])


@pytest.mark.parametrize("mode", ["invite", "open with conditions"])
def test_every_secret_has_its_file_for_the_service_only(mode: str) -> None:
    own = role(mode)
    files = own.value("_synapse_secret_files + _synapse_condition_files")
    files = [entry for entry in files if "content" in entry]
    assert {Path(entry["path"]).name for entry in files} == set(own.value("_synapse_secrets"))
    assert {(entry["mode"], entry["group"]) for entry in files} == {("0640", "matrix-synapse")}
    assert all(entry["secret"] for entry in files)
    paths = {value for key, value in settings(mode).items() if re.search("secret|private", key)}
    assert paths == {entry["path"] for entry in files}


def test_the_port_is_a_part_of_the_address_of_the_database() -> None:
    args = settings()["database"]["args"]
    assert (args["host"], args["port"]) == ("/run/postgresql", 5433)


def test_settings_are_merged_at_every_depth() -> None:
    changed = settings(synapse_settings={"database": {"args": {"cp_max": 20}}, "presence": {}})
    assert changed["database"]["args"] == {**settings()["database"]["args"], "cp_max": 20}
    assert changed["presence"] == {}


def test_settings_win_over_ours() -> None:
    changed = settings(synapse_settings={"rc_registration": {"burst_count": 2}})
    assert changed["rc_registration"] == {"per_second": 0.02, "burst_count": 2}


def test_it_listens_on_the_loopback_address_only() -> None:
    listeners = settings()["listeners"]
    assert [(entry["bind_addresses"], entry["port"]) for entry in listeners] == [
        (["127.0.0.1"], 8008)
    ]


def test_every_requirement_is_pinned_and_checked() -> None:
    version = role().value("_synapse_version")
    lines = (FILES / f"requirements-{version}.txt").read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith(("#", " "))]
    assert f"matrix-synapse=={version} \\" in entries
    assert all(re.match(r"\S+==\S+ (; .+ )?\\$", entry) for entry in entries)
    hashes = [number for number, line in enumerate(lines) if "--hash=sha256:" in line]
    assert all(lines.index(entry) + 1 in hashes for entry in entries)


def test_only_one_version_is_kept() -> None:
    version = role().value("_synapse_version")
    assert [path.name for path in FILES.glob("requirements-*")] == [f"requirements-{version}.txt"]
