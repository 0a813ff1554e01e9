# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.host_secrets import (
    HostSecrets,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
    UnreachableError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.admin import (
    PASSWORD_SECRET,
    TOKEN_SECRET,
    Administrator,
    Call,
    Response,
    http,
    open_session,
    session_for,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

NOWHERE = "http://127.0.0.1:9"
NOTHING = "/_synapse/admin/v2/users/nobody"


def test_the_first_session_makes_the_account_and_remembers_it() -> None:
    synapse, secrets = FakeSynapse(), MemorySecrets()
    session = open_session(synapse, secrets)
    assert (session.token, session.server_name) == ("registered", "example.com")
    assert secrets.values[TOKEN_SECRET] == "registered"
    assert secrets.values[PASSWORD_SECRET] == synapse.password


def test_the_second_session_is_one_question() -> None:
    synapse, secrets = FakeSynapse(), MemorySecrets()
    open_session(synapse, secrets)
    synapse.requests.clear()
    open_session(synapse, secrets)
    assert [request.method for request in synapse.requests] == ["GET"]


def test_a_lost_token_is_replaced_with_the_password() -> None:
    synapse, secrets = FakeSynapse(), MemorySecrets()
    open_session(synapse, secrets)
    synapse.access_tokens.clear()
    assert open_session(synapse, secrets).token == secrets.values[TOKEN_SECRET] == "logged-in"


def test_a_run_killed_after_the_registration_signs_in_with_its_password() -> None:
    synapse, secrets = FakeSynapse(), MemorySecrets()
    open_session(synapse, secrets)
    secrets.write(TOKEN_SECRET, "")
    assert open_session(synapse, secrets).token == "logged-in"


def test_an_account_with_another_password_is_an_error() -> None:
    with pytest.raises(HomeserverError, match=r"Invalid password \(M_FORBIDDEN\)"):
        open_session(FakeSynapse(password="other"), MemorySecrets())


def test_without_the_shared_secret_no_account_can_be_made() -> None:
    with pytest.raises(HomeserverError, match="synapse_registration"):
        open_session(FakeSynapse(), MemorySecrets({}))


def test_check_mode_makes_no_account() -> None:
    synapse, secrets = FakeSynapse(), MemorySecrets()
    assert session_for(synapse, secrets, check_mode=True) is None
    assert synapse.requests == []


def test_check_mode_works_where_no_synapse_is_yet() -> None:
    assert session_for(http(NOWHERE), MemorySecrets({TOKEN_SECRET: "t"}), check_mode=True) is None


def test_a_synapse_that_does_not_run_is_one_sentence() -> None:
    with pytest.raises(UnreachableError, match=f"does not answer at {NOWHERE}"):
        session_for(http(NOWHERE), MemorySecrets(), check_mode=False)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(
            Response(400, {"error": "No.", "errcode": "M_X"}), r"No\. \(M_X\)", id="reason"
        ),
        pytest.param(Response(502), r"no reason given \(status 502\)", id="no JSON"),
        pytest.param(Response(401, {"errcode": "M_X"}), "M_X", id="token refused"),
    ],
)
def test_a_refusal_is_an_error(response: Response, message: str) -> None:
    session = Administrator(lambda _unused: response, "token", "example.com")
    with pytest.raises(HomeserverError, match=message):
        session.ask(Call("GET", "/"))


def test_a_missing_thing_is_an_answer() -> None:
    session = Administrator(FakeSynapse(), "token", "example.com")
    assert session.ask(Call("GET", NOTHING)).status == 404


def test_a_session_asks_with_its_token() -> None:
    synapse = FakeSynapse()
    Administrator(synapse, "token", "example.com").ask(Call("GET", NOTHING))
    assert synapse.requests[0].token == "token"


def test_secrets_do_not_show() -> None:
    request = Call("POST", "/", {"password": "hidden"}, token="hidden")
    session = Administrator(FakeSynapse(), "hidden", "example.com")
    assert "hidden" not in repr((request, session, Response(200, {"access_token": "hidden"})))


def test_host_secrets_are_files_for_root_only(tmp_path: Path) -> None:
    secrets = HostSecrets(tmp_path / "secrets")
    assert secrets.read("name") is None
    secrets.write("name", "value")
    assert secrets.read("name") == "value"
    assert (tmp_path / "secrets" / "name").stat().st_mode & 0o777 == 0o600
    secrets.write("name", "")
    assert secrets.read("name") is None
