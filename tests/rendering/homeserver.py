# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for Synapse, and the Synapse that it installs, here to judge that."""

from __future__ import annotations

import functools
import json
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.homeserver import connection
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.host_secrets import (
    HostSecrets,
)
from ansible_collections.homestead.matrix.plugins.modules import registration_token, user
from nginx_rendering import (
    Role,
    described,
    free_port,
)

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles/synapse/files"
CACHE = ROOT / ".cache/synapse"
SMTP = {"host": "mail.example.com", "from": "matrix@example.com"}
TERMS = {
    "version": "2026-01",
    "text": "<p>{% endraw %}{{ 7 * 7 }} \\n \"be\" 'kind' \U0001f600</p>",
}
PROVIDERS = [
    {"id": "google", "preset": "google", "domain": "example.com", "client_id": "x"},
    {"id": "microsoft", "preset": "microsoft", "tenant": "example.com", "client_id": "x"},
    {"id": "keycloak", "preset": "keycloak", "issuer": "https://id.example.com", "client_id": "x"},
    {
        "id": "authentik",
        "preset": "authentik",
        "issuer": "https://id.example.net",
        "client_id": "x",
    },
    {"id": "github", "preset": "github", "requirements": {"login": "alice"}, "client_id": "x"},
    {"id": "gitlab", "preset": "gitlab", "requirements": {"groups": "club"}, "client_id": "x"},
]
DOWN = {"id": "club", "issuer": "https://localhost:9", "client_id": "x"}
MODES: dict[str, dict[str, Any]] = {
    "invite": {},
    "closed": {},
    "open": {"matrix_registration_open_accepted": True},
    "closed with e-mail": {
        "matrix_smtp": {"host": "10.0.0.5", "tls": "none", "from": "50% Club <matrix@example.com>"}
    },
    "email": {"matrix_smtp": SMTP},
    "email with an account": {"matrix_smtp": {**SMTP, "port": 465, "user": "matrix"}},
    "email of one domain": {
        "matrix_smtp": SMTP,
        "matrix_registration_email_patterns": ["example.org"],
    },
    "closed with every preset": {"matrix_oidc_providers": PROVIDERS},
    "closed with single sign-on": {"matrix_oidc_providers": [DOWN]},
    "open with conditions": {
        "matrix_registration_open_accepted": True,
        "matrix_registration_terms": TERMS,
        "matrix_registration_captcha": {"site_key": "public-key", "secret": "correct horse"},
    },
}
CLUSTER = {"version": 17, "cluster": "main", "port": 5433, "shared": False}
HOST = {"release": "13", "python": "3.13", "postgresql": CLUSTER}
OFTEN = {"per_second": 100, "burst_count": 100}
QUICK = {
    "background_updates": {"sleep_enabled": False},
    "bcrypt_rounds": 4,
    "rc_login": {"account": OFTEN, "address": OFTEN},
}
DATABASE = "data/synapse.db"
PLACEHOLDER = re.compile(r"@@homestead-secret:([a-z_]+)@@")
REGISTER = "/_matrix/client/v3/register"
TOKEN = "m.login.registration_token"
WRITTEN = (
    "_synapse_files + _synapse_secret_files + _synapse_condition_files"
    " + _synapse_single_sign_on.files"
)
INSTALLATION = "-m pip install --quiet --no-compile --no-deps --only-binary=:all: --require-hashes"


def role(mode: str = "invite", **more: Any) -> Role:
    given = {"matrix_registration": mode.split()[0], **MODES[mode]}
    inputs = {name.removeprefix("matrix_"): value for name, value in given.items()}
    facts = {"matrix_host": HOST, **given, **more}
    return Role("synapse", matrix_site=described(max_upload_mb=70, **inputs), **facts)


def settings(mode: str = "invite", **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = role(mode, **more).value("_synapse_settings")
    return value


def python_of_synapse() -> Path:
    """Return the Python of the pinned Synapse, installed here once, in half a minute."""
    version = role().value("_synapse_version")
    place = CACHE / f"{version}-{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = place / "bin/python", place / "ready"
    requirements = FILES / f"requirements-{version}.txt"
    if not ready.exists() or ready.read_text() != requirements.read_text():
        venv.create(place, clear=True, with_pip=True)
        command = [python, *INSTALLATION.split(), f"--requirement={requirements}"]
        subprocess.run(command, check=True)
        ready.write_text(requirements.read_text())
    return python


@functools.cache
def signing_key() -> str:
    """Return a key that Synapse has made."""
    program = python_of_synapse().with_name("generate_signing_key")
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def write(own: Role, root: Path) -> Path:
    """Write the role's files below `root`, with all secrets made, and return the main one."""
    for entry in own.value(WRITTEN):
        if entry["path"].startswith("/etc/matrix-synapse/"):
            content = _content(entry, own)
            path = Path(moved(entry["path"], root))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PLACEHOLDER.sub(r"made-\1", moved(content, root)))
    (root / "data").mkdir()
    (root / "data/signing.key").write_text(signing_key())
    return root / "etc/homeserver.yaml"


def _content(entry: dict[str, Any], own: Role) -> str:
    if "template" in entry:
        return own.render(entry["template"])
    return entry.get("content") or json.dumps(entry["document"])


def moved(text: str, root: Path) -> str:
    text = text.replace("/etc/matrix-synapse", f"{root}/etc")
    return text.replace("/var/lib/matrix-synapse", f"{root}/data")


@dataclass(frozen=True)
class Homeserver:
    """A running Synapse, and the secrets of the host on which it runs."""

    url: str
    secrets: HostSecrets
    passwords: HostSecrets
    root: Path

    def token(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        params = {
            **dict.fromkeys(("name", "token", "uses_allowed", "expiry")),
            "state": "present",
            "return_token": True,
            "extend": False,
            **given,
        }
        connect, now = connection.at(self.url), datetime.now(timezone.utc)
        return registration_token.run(params, connect, self.secrets, now, check_mode=check_mode)

    def user(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        defaults = dict.fromkeys((*user.ACCOUNT, "users"))
        params = {**defaults, "state": "present", "update_password": "on_create", **given}
        connect = connection.at(self.url)
        return user.run(params, connect, self.secrets, self.passwords, check_mode=check_mode)

    def finish_first_start(self) -> None:
        """Wait until Synapse has made the indexes of a new database, which takes some seconds."""
        with closing(sqlite3.connect(self.root / DATABASE)) as database:
            while database.execute("SELECT count(*) FROM background_updates").fetchone()[0]:
                time.sleep(0.2)

    def login(self, name: str, password: str) -> dict[str, Any]:
        who = {"type": "m.id.user", "user": name}
        body = {"type": "m.login.password", "identifier": who, "password": password}
        return ask(f"{self.url}/_matrix/client/v3/login", body)


@contextmanager
def homeserver_of(mode: str, root: Path, **more: Any) -> Iterator[Homeserver]:
    """Run Synapse, and give the modules what they find on its host."""
    secrets = HostSecrets(root / "secrets")
    secrets.write("synapse_registration", "made-synapse_registration")
    with running(mode, root, **more) as url:
        yield Homeserver(url, secrets, HostSecrets(root / "passwords"), root)


@contextmanager
def running(mode: str, root: Path, **more: Any) -> Iterator[str]:
    """Run Synapse as the role configures it, but with SQLite and a port of its own."""
    port = free_port()
    own = role(mode, synapse_settings={**QUICK, **more})
    own.templar.available_variables["matrix_site"]["upstreams"]["synapse"]["port"] = port
    path = write(own, root)
    config = json.loads(path.read_text())
    config["database"] = {"name": "sqlite3", "args": {"database": str(root / DATABASE)}}
    path.write_text(json.dumps(config))
    command = [python_of_synapse(), "-m", "synapse.app.homeserver", "--config-path", path]
    with open(root / "log", "w") as log, subprocess.Popen(command, stdout=log, stderr=log) as done:
        try:
            wait_for(f"http://127.0.0.1:{port}", done, root / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            done.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            assert ask(f"{url}/_matrix/client/versions")["versions"]
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON of an answer, whatever its status."""
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data=data), timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as refusal:
        found = json.load(refusal)
    return found
