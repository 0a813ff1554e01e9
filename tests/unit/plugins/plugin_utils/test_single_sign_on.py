# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homestead.matrix.plugins.filter.single_sign_on import single_sign_on
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.sign_on_presets import (
    PRESETS,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

GUIDE = Path(__file__).parents[4] / "docs/registration.md"
ENTRY = "entry 1 of matrix_oidc_providers"
CLUB = {"id": "club", "issuer": "https://id.example.com", "client_id": "homestead"}
GOOGLE = {"id": "google", "preset": "google", "client_id": "x", "domain": "example.com"}
GITLAB = {"id": "gitlab", "preset": "gitlab", "client_id": "x"}
GITHUB = {"id": "github", "preset": "github", "client_id": "x"}
MICROSOFT = {"id": "work", "preset": "microsoft", "client_id": "x", "tenant": "example.com"}
MAPPING = {"user_mapping_provider": {"config": {"localpart_template": "{{ user.nickname }}"}}}


def derived(*entries: object, **more: object) -> Any:
    return site("example.com", {"oidc_providers": list(entries), **more})


def settings(entry: object, **more: object) -> Any:
    return derived(entry, **more)["single_sign_on"][0]["settings"]


def test_one_domain_of_google_s() -> None:
    told = settings(GOOGLE)
    assert told["issuer"] == "https://accounts.google.com"
    assert told["attribute_requirements"] == [{"attribute": "hd", "one_of": ["example.com"]}]
    assert told["additional_authorization_parameters"] == {"hd": "example.com"}
    assert told["enable_registration"] is True


def test_several_domains_of_google_s() -> None:
    told = settings({**GOOGLE, "domain": ["example.com", "example.org"]})
    (required,) = told["attribute_requirements"]
    assert required["one_of"] == ["example.com", "example.org"]
    assert "additional_authorization_parameters" not in told


def test_the_tenant_stands_in_the_issuer() -> None:
    assert settings(MICROSOFT)["issuer"] == "https://login.microsoftonline.com/example.com/v2.0"


def test_what_is_told_is_registered_at_the_provider() -> None:
    (provider,) = derived(CLUB, hostname="chat.example.org")["single_sign_on"]
    callback = "https://chat.example.org/_synapse/client/oidc/callback"
    assert (provider["name"], provider["redirect_uri"]) == ("club", callback)


def test_settings_of_one_s_own_win_at_every_depth() -> None:
    told = settings({**CLUB, "settings": {**MAPPING, "pkce_method": "always"}})
    config = told["user_mapping_provider"]["config"]
    assert (told["pkce_method"], config["localpart_template"]) == ("always", "{{ user.nickname }}")
    assert config["subject_template"] == "{{ user.sub }}"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({**GITHUB, "requirements": {"login": ["alice", "bob"]}}, id="some of GitHub"),
        pytest.param({**GITHUB, "new_accounts": False}, id="GitHub without new accounts"),
        pytest.param({**GITLAB, "requirements": {"groups": "club"}}, id="a group of GitLab"),
        pytest.param({**GITLAB, "issuer": "https://git.example.com"}, id="one's own GitLab"),
        pytest.param({**CLUB, "preset": "keycloak", "name": "The club"}, id="Keycloak"),
        pytest.param({**CLUB, "preset": "authentik", "scopes": ["openid"]}, id="authentik"),
        pytest.param({**CLUB, "requirements": {"groups": ["one", "two"]}}, id="members of groups"),
        pytest.param({**CLUB, "id": "oidc", "new_accounts": "no"}, id="truth as text"),
    ],
)
def test_what_is_right(entry: dict[str, object]) -> None:
    assert settings(entry)["idp_id"] == entry["id"]


@pytest.mark.parametrize("preset", [word for word, row in PRESETS.items() if row.closed_by])
def test_where_everybody_has_an_account_everybody_comes_in_only_if_that_is_wanted(
    preset: str,
) -> None:
    entry = {"id": "all", "preset": preset, "client_id": "x"}
    sentence = f"lets in everybody with an account at {PRESETS[preset].title}; write .*, or set "
    with pytest.raises(ValueError, match=f"{sentence}matrix_registration_open_accepted to true"):
        settings(entry)
    told = settings(entry, registration_open_accepted=True)
    assert "attribute_requirements" not in told


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param("google", f"{ENTRY} must be a dictionary, not a text.", id="a word"),
        pytest.param(
            {**CLUB, "clientid": "x"},
            f"In {ENTRY} the key 'clientid' is unknown; it may have id, preset, name, issuer, "
            "tenant, client_id, client_secret, domain, requirements, scopes, new_accounts or "
            "settings.",
            id="unknown key",
        ),
        pytest.param(
            {**CLUB, "preset": "gogle"},
            f"The preset of {ENTRY} cannot be 'gogle'; choose oidc, google, microsoft, keycloak, "
            "authentik, github or gitlab.",
            id="unknown preset",
        ),
        pytest.param(
            {**CLUB, "id": "The club"},
            f"{ENTRY} cannot have the id 'The club', which also names a file; write up to 40 of "
            "a-z, 0-9, _ and -, like google, and keep it: accounts belong to it.",
            id="an id with a space",
        ),
        pytest.param(
            {**CLUB, "name": ["The club"]},
            f"{ENTRY} cannot have the name ['The club']; write one line of text.",
            id="a name that is no text",
        ),
        pytest.param(
            {**CLUB, "client_id": ""},
            f"{ENTRY} needs a client_id; the provider has one for you when you register this "
            "server there, with the redirect URI "
            "https://MATRIX_HOSTNAME/_synapse/client/oidc/callback.",
            id="no client_id",
        ),
        pytest.param(
            {**CLUB, "client_secret": ["correct horse"]},
            f"The client_secret of {ENTRY} must be one line of text; put it in quotes.",
            id="a secret that is no text, which is not named",
        ),
        pytest.param(
            {**CLUB, "issuer": "http://id.example.com"},
            f"{ENTRY} cannot have the issuer 'http://id.example.com'; write the address, beginning "
            "with https://, that stands before /.well-known/openid-configuration at the provider.",
            id="an issuer without TLS",
        ),
        pytest.param(
            {**CLUB, "preset": "keycloak", "issuer": None},
            f"{ENTRY} cannot have the issuer ''; write the address, beginning with https://, that "
            "stands before /.well-known/openid-configuration at the provider.",
            id="no issuer",
        ),
        pytest.param(
            {**CLUB, "issuer": "https://accounts.google.com/"},
            f"{ENTRY} has the issuer of Google; write preset: google.",
            id="everybody at Google past the preset",
        ),
        pytest.param(
            {**GOOGLE, "issuer": "https://accounts.google.com"},
            f"{ENTRY} has an issuer, which google does without; take it out.",
            id="an issuer that is known",
        ),
        pytest.param(
            {**GOOGLE, "domain": "alice@example.com"},
            f"The domain of {ENTRY} 'alice@example.com' has a user before the @; write only the "
            "name, example.com.",
            id="an address in place of the domain",
        ),
        pytest.param(
            {**CLUB, "domain": "example.com"},
            f"{ENTRY} has a domain, which only google tells of people; write requirements, like "
            "{groups: matrix}.",
            id="a domain elsewhere than at Google",
        ),
        pytest.param(
            {**CLUB, "tenant": "example.com"},
            f"{ENTRY} has a tenant, which only microsoft has; take it out.",
            id="a tenant elsewhere than at Microsoft",
        ),
        pytest.param(
            {**MICROSOFT, "tenant": ""},
            f"{ENTRY} cannot have the tenant ''; write the id of your organisation, as its "
            "overview in Microsoft Entra shows it.",
            id="no tenant",
        ),
        pytest.param(
            {**MICROSOFT, "tenant": "Common"},
            f"{ENTRY} has the tenant 'Common', which is everybody with an account at Microsoft; "
            "write the id of your organisation.",
            id="everybody at Microsoft",
        ),
        pytest.param(
            {**GOOGLE, "domain": "", "requirements": {"locale": "de"}},
            f"{ENTRY} lets in everybody with an account at Google; write the domain of your Google "
            "Workspace, like domain: example.com, or set matrix_registration_open_accepted to true "
            "if everybody may join.",
            id="a requirement that people of Google choose themselves",
        ),
        pytest.param(
            {**GITHUB, "requirements": {"company": "example"}},
            f"{ENTRY} lets in everybody with an account at GitHub; write who may, like "
            "requirements: {login: [alice, bob]}, or set matrix_registration_open_accepted to true "
            "if everybody may join.",
            id="a requirement that people of GitHub choose themselves",
        ),
        pytest.param(
            {**GITHUB, "new_accounts": False, "settings": {"allow_existing_users": True}},
            f"{ENTRY} has allow_existing_users, so whoever takes a name at GitHub takes the "
            "account of that name here; write who may, like requirements: {login: [alice, bob]}.",
            id="accounts for whoever has the name elsewhere",
        ),
        pytest.param(
            {**CLUB, "requirements": {"groups": []}},
            f"The requirement 'groups' of {ENTRY} cannot be []; write text, like matrix or "
            "[one, two].",
            id="a requirement of nothing",
        ),
        pytest.param(
            {**CLUB, "scopes": {"openid": True}},
            f"The scopes of {ENTRY} cannot be {{'openid': True}}; write text, like [openid, "
            "profile, email].",
            id="scopes that are no list",
        ),
        pytest.param(
            {**CLUB, "new_accounts": "perhaps"},
            f"new_accounts of {ENTRY} cannot be 'perhaps'; write true or false.",
            id="neither new accounts nor none",
        ),
        pytest.param(
            {**CLUB, "settings": {"client_secret": "correct horse"}},
            f"{ENTRY} has client_secret in its settings; write client_secret beside them.",
            id="the secret among the settings, which is not named",
        ),
        pytest.param(
            {**CLUB, "settings": {"attribute_requirements": []}},
            f"{ENTRY} has attribute_requirements in its settings; write requirements beside them.",
            id="requirements among the settings",
        ),
    ],
)
def test_what_is_wrong(entry: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        settings(entry)


def test_no_two_have_one_id() -> None:
    sentence = "matrix_oidc_providers has the id 'club' 2 times; give each provider one of its own."
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        derived(CLUB, CLUB)


def test_a_secret_is_in_no_other_file_and_nowhere_else() -> None:
    given = {**CLUB, "client_secret": "correct horse"}
    told = derived(given)
    made = single_sign_on(told, [given], "/etc/x", "synapse")
    assert made["secrets"] == {"oidc_club": {"given": True, "value": "correct horse"}}
    assert made["settings"]["oidc_providers"][0]["client_secret_path"] == "/etc/x/oidc_club"
    (file,) = made["files"]
    assert file["content"] == "@@homestead-secret:oidc_club@@\n"
    assert "horse" not in json.dumps([told, made["settings"], made["files"]])
    assert told["secrets_to_give"] == []


def test_the_host_must_have_a_secret_that_is_not_said() -> None:
    assert derived(CLUB)["secrets_to_give"] == ["oidc_club"]


def test_without_a_provider_there_is_nothing() -> None:
    assert single_sign_on(derived(), None, "/etc/x", "synapse") == {
        "settings": {},
        "files": [],
        "secrets": {},
    }


def test_the_examples_of_the_guide_are_right() -> None:
    _before, _title, rest = GUIDE.read_text(encoding="utf-8").partition("\n## Single sign-on\n")
    section = rest.partition("\n## ")[0]
    blocks = [block.partition("```")[0] for block in section.split("```yaml\n")[1:]]
    lists = [yaml.safe_load(block)["matrix_oidc_providers"] for block in blocks]
    told = [each["settings"] for entries in lists for each in derived(*entries)["single_sign_on"]]
    assert told[0] == settings({**GOOGLE, "client_id": told[0]["client_id"]})
    assert len(told) > len(blocks)
