# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in the description has an account, and logs in with a password that is there to be had."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from conftest import Story
from members import GIVEN, MADE

LOG_IN = """
import json, pathlib, sys, urllib.error, urllib.request
server = "http://127.0.0.1:8008"
def ask(path, body=None, token=""):
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(server + path, body and json.dumps(body).encode(), headers)
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)
def logged_in(name, password):
    who = {"type": "m.id.user", "user": name}
    body = {"type": "m.login.password", "identifier": who, "password": password}
    return ask("/_matrix/client/v3/login", body)
files = pathlib.Path("/var/lib/homestead/passwords").iterdir()
passwords = {**json.loads(PASSWORDS), **{path.name: path.read_text().strip() for path in files}}
answers = {name: logged_in(name, password) for name, password in passwords.items()}
tokens = {name: answer.get("access_token", "") for name, answer in answers.items()}
version = "/_synapse/admin/v1/rooms?limit=1"
admins = [name for name, token in tokens.items() if "errcode" not in ask(version, token=token)]
users = {name: answer.get("user_id", answer) for name, answer in answers.items()}
print(json.dumps({"users": users, "admins": admins}))
"""


@pytest.fixture(scope="module")
def seen(story: Story, lab: Lab) -> dict[str, dict[str, str]]:
    """Return who can log in on the host, and which of them the admin API answers."""
    assert story.second.status == 0, story.second.output[-8000:]
    script = f"PASSWORDS = {json.dumps(GIVEN)!r}\n{LOG_IN}"
    found: dict[str, dict[str, str]] = json.loads(lab.ssh("matrix", "python3 -", script))
    return found


def test_everybody_of_the_description_logs_in(seen: dict[str, dict[str, str]]) -> None:
    names = {*GIVEN, *MADE}
    assert seen["users"] == {name: f"@{name}:{DOMAIN}" for name in names}


def test_the_administrator_is_one_and_nobody_else(seen: dict[str, dict[str, str]]) -> None:
    assert seen["admins"] == ["chief"]


def test_one_task_makes_them_and_says_whom(story: Story) -> None:
    task = "Make the accounts of the description"
    told = story.first.output.partition(task)[2].partition("\nTASK")[0]
    assert set(re.findall(rf'"user_id": "@(\w+):{DOMAIN}"', told)) == {*GIVEN, *MADE, "leaver"}
    assert "/var/lib/homestead/passwords/newcomer" in told


def test_the_playbook_changes_one_and_says_where_the_password_lies(story: Story, lab: Lab) -> None:
    assert story.second.status == 0
    run = lab.play("user", user="newcomer", displayname="Somebody new")
    assert run.recap("matrix")["changed"] == 1
    lies = "Its password lies in /var/lib/homestead/passwords/newcomer on matrix;"
    assert f"@newcomer:{DOMAIN} is an account. {lies}" in run.output
    assert (
        f"@newcomer:{DOMAIN} is an account, as before. {lies}"
        in lab.play("user", user="newcomer").output
    )


def test_the_playbook_asks_for_a_name(lab: Lab) -> None:
    refused = lab.play("user")
    assert refused.recap("matrix")["failed"] == 1
    assert '"msg": "Say whose account it is, with -e user=NAME."' in refused.output
