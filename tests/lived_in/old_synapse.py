# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Synapse of 2024, set up by hand as people do: a venv, a unit of its own name, SQLite."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import PEER, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import wait_until

NAME = "matrix.homestead.test"
VERSION = "1.120.2"
HOME = "/home/chat"
KEY = "/etc/chat/signing.key"
PYTHON = "/opt/chat/bin/python"
FILES = ("/etc/chat/homeserver.yaml", "/etc/chat/conf.d")
OLD_PARTS = "prometheus-client==0.21.1"
PASSWORD = "correct horse battery staple"
INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
apt-get install --yes --quiet=2 --no-install-recommends python3-venv >/dev/null
useradd --system --create-home --home-dir {HOME} chat
python3 -m venv /opt/chat
/opt/chat/bin/pip install --quiet --no-cache-dir --only-binary=:all: \
    matrix-synapse=={VERSION} {OLD_PARTS} psycopg2-binary
mkdir -p /etc/chat/conf.d
"""
UNIT = f"""
[Unit]
Description=Our chat
[Service]
Type=notify
User=chat
WorkingDirectory={HOME}
ExecStart={PYTHON} -m synapse.app.homeserver --config-path={FILES[0]} -c {FILES[1]}
Restart=always
[Install]
WantedBy=multi-user.target
"""
RESOURCES = [{"names": ["client", "federation"]}]
SETTINGS: dict[str, Any] = {
    "server_name": NAME,
    "listeners": [{"port": 8008, "type": "http", "resources": RESOURCES}],
    "database": {"name": "sqlite3", "args": {"database": "homeserver.db"}},
    "media_store_path": "media",
    "signing_key_path": KEY,
    "macaroon_secret_key": "an old macaroon secret",
    "form_secret": "an old form secret",
    "registration_shared_secret_path": f"{HOME}/registration_secret",
    "password_config": {"pepper": "an old pepper"},
    "old_signing_keys": {
        "ed25519:older": {
            "key": "SIFLVOMEoGBBGmFT3bUbLsBcFVHhQLuqNt9uQG0uEyk",
            "expired_ts": 1576767829750,
        }
    },
    "federation_custom_ca_list": ["/etc/ssl/lab-0.pem", "/etc/ssl/lab-1.pem"],
    "ip_range_blacklist": [],
    "federation_ip_range_blacklist": [],
    "trusted_key_servers": [],
    "report_stats": False,
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "max_upload_size": "10M",
    "user_directory": {"search_all_users": True},
}
ON_POSTGRESQL = {
    **SETTINGS,
    "database": {
        "name": "psycopg2",
        "args": {
            "user": "chat",
            "password": "secret of chat",
            "dbname": "chat",
            "host": "localhost",
        },
    },
}
POSTGRESQL = """
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes --quiet=2 --no-install-recommends postgresql >/dev/null
systemctl start postgresql.service
runuser -u postgres -- psql --quiet --command="create role chat login password 'secret of chat'"
runuser -u postgres -- createdb --owner=chat --encoding=UTF8 --locale=C --template=template0 chat
"""
# What the host lets in from outside by itself, until a web server does it.
OUTSIDE = {
    "listeners": [
        *SETTINGS["listeners"],
        {"port": 8448, "type": "http", "tls": True, "resources": RESOURCES},
    ],
    "tls_certificate_path": "/etc/chat/tls.crt",
    "tls_private_key_path": "/etc/chat/tls.key",
}


@dataclass(frozen=True)
class Client:
    """Somebody with an access token, whose client runs on the vantage."""

    lab: Lab
    server: str
    token: str = field(default="", repr=False)
    user: str = ""

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.fetch(method, f"/_matrix/client/{path}", body))
        return answer

    def fetch(self, method: str, path: str, body: object = None) -> str:
        words = ["--cacert", "/etc/ssl/lab.pem", "--silent", "--show-error", "--request", method]
        words += ["--header", f"Authorization: Bearer {self.token}"] if self.token else []
        words += ["--data-binary", "@-"] if body is not None else []
        given = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.lab.run(
            "vantage", "curl", *words, f"https://{self.server}:8448{path}", stdin=given
        )

    def registered(self, name: str) -> Client:
        body = {
            "username": name,
            "password": PASSWORD,
            "auth": {"type": "m.login.dummy"},
        }
        made = self.ask("POST", "v3/register", body)
        return Client(self.lab, self.server, made["access_token"], made["user_id"])

    def say(self, room: str, text: str) -> str:
        content = {"msgtype": "m.text", "body": text}
        path = f"v3/rooms/{room}/send/m.room.message/{text.replace(' ', '-')}"
        return str(self.ask("PUT", path, content)["event_id"])

    def texts(self, room: str) -> list[str]:
        found = self.ask("GET", f"v3/rooms/{room}/messages?dir=b&limit=100")
        return [event["content"].get("body", "") for event in found["chunk"]]


def install(lab: Lab, settings: dict[str, Any]) -> None:
    """Set the old server up, so that it runs and answers on 8448 too."""
    lab.shell("matrix", f"set -e\n{INSTALL}")
    if settings == ON_POSTGRESQL:
        lab.shell("matrix", f"set -e\n{POSTGRESQL}")
    lab.run("ns", "lab-certificate", NAME, f"DNS:{NAME}")
    for part in ("crt", "key"):
        path = f"/etc/chat/tls.{part}"
        lab.write("matrix", path, lab.read("ns", f"/etc/lab/{NAME}.{part}"))
    lab.write("matrix", FILES[0], json.dumps(settings))
    lab.write("matrix", f"{FILES[1]}/outside.yaml", json.dumps(OUTSIDE))
    lab.write("matrix", f"{HOME}/registration_secret", "an old registration secret\n")
    lab.write("matrix", "/etc/systemd/system/chat.service", UNIT)
    lab.run("matrix", "chown", "-R", "chat", "/etc/chat", HOME)
    generate = [PYTHON, "-m", "synapse.app.homeserver", "-c", FILES[0], "--generate-keys"]
    lab.run("matrix", "runuser", "-u", "chat", "--", *generate)
    lab.run("matrix", "systemctl", "enable", "--quiet", "--now", "chat.service")
    wait_until(
        lambda: "versions" in Client(lab, NAME).fetch("GET", "/_matrix/client/versions"), seconds=60
    )


def behind_a_web_server(lab: Lab) -> None:
    """Let it listen on 8008 only, as those do that have a web server before them."""
    lab.run("matrix", "rm", f"{FILES[1]}/outside.yaml")
    lab.run("matrix", "systemctl", "restart", "chat.service")


def on_peer(lab: Lab) -> Client:
    return Client(lab, PEER)
