# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.filter.site import FilterModule
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.settings import (
    ALTERNATIVES,
    OURS,
    VARIABLES,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    read_description,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.program.refusal import (
    DescriptionError,
)

SMTP = {"host": "smtp.example.com", "from": "matrix@example.com"}
EMAIL = {"registration": "email", "smtp": SMTP}
TERMS = {"version": "2026-01", "text": "<p>Be kind.</p>"}
CAPTCHA = {"site_key": "6Lc_public-key", "secret": "correct horse"}
OPEN = {"registration": "open", "registration_open_accepted": True}


def sign_up(**given: object) -> Any:
    return site("example.com", given)["sign_up"]


def test_nothing_more_is_asked_unless_told() -> None:
    assert sign_up() == {"terms": {}, "local_3pids": [], "captcha": ""}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(OPEN, id="open and accepted"),
        pytest.param({**OPEN, "registration": "closed"}, id="accepted and not open"),
        pytest.param({**OPEN, "registration_open_accepted": "yes"}, id="accepted in words"),
        pytest.param({"registration_captcha": CAPTCHA}, id="captcha"),
        pytest.param({"registration_captcha": {"site_key": "a"}}, id="secret on the host"),
        pytest.param({"registration": "closed", "registration_terms": TERMS}, id="terms"),
        pytest.param({"synapse_settings": {"password_config": {"pepper": "x"}}}, id="a setting"),
        pytest.param({"synapse_settings": {"email": {"app_name": "Club"}}}, id="a part of one"),
        pytest.param({"synapse_settings": {"email": None}}, id="a setting without parts"),
        pytest.param({"synapse_settings": dict.fromkeys(ALTERNATIVES)}, id="instead of variables"),
        pytest.param(dict.fromkeys(("registration_terms", "synapse_settings")), id="nulls"),
    ],
)
def test_what_is_right(given: dict[str, object]) -> None:
    assert read_description("example.com", given).registration


@pytest.mark.parametrize(
    ("version", "text"), [("2026-01", "2026-01"), (1.0, "1.0"), (2, "2")], ids=repr
)
def test_a_version_is_a_text(version: object, text: str) -> None:
    given = sign_up(registration_terms={**TERMS, "version": version})
    assert given["terms"] == {**TERMS, "version": text}


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("alice@example.org", True),
        ("alice@mail.example.org", False),
        ("alice@example.org.evil.example", False),
        ("alice@exampleXorg", False),
        ("alice@evil.example@example.org", False),
        ("alice@example.org\n", False),
        ("@example.org", False),
    ],
)
def test_an_address_is_of_the_domain_or_not(address: str, allowed: bool) -> None:
    """Synapse matches the pattern from the start of the address."""
    (entry,) = sign_up(**EMAIL, registration_email_patterns=["example.org"])["local_3pids"]
    assert bool(re.match(entry["pattern"], address)) == allowed


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"registration": "open"},
            "matrix_registration 'open' lets anyone on the internet make accounts, and sooner or "
            "later spammers and robots overload such a server until wiping it is easier than "
            "cleaning up; choose invite or email, or set matrix_registration_open_accepted: true.",
            id="open by one word",
        ),
        pytest.param(
            {"registration_open_accepted": "perhaps"},
            "matrix_registration_open_accepted cannot be 'perhaps'; write true or false.",
            id="neither accepted nor not",
        ),
        pytest.param(
            {"registration": False},
            "matrix_registration cannot be False; choose invite, closed, email or open.",
            id="a truth value",
        ),
        pytest.param(
            {**OPEN, "registration_email_patterns": ["example.org"]},
            "matrix_registration_email_patterns says whose e-mail addresses may register, but "
            "matrix_registration 'open' asks for none; set matrix_registration: email, or take "
            "matrix_registration_email_patterns out.",
            id="domains that nobody asks for",
        ),
        pytest.param(
            {**EMAIL, "registration_email_patterns": ["@example.org"]},
            "matrix_registration_email_patterns cannot have '@example.org'; write a domain, the "
            "part after the @, like example.org.",
            id="a domain with an @",
        ),
        pytest.param(
            {**EMAIL, "registration_email_patterns": [r".*@example\.org"]},
            r"matrix_registration_email_patterns cannot have '.*@example\\.org'; write a domain, "
            "the part after the @, like example.org.",
            id="a regular expression",
        ),
        pytest.param(
            {**EMAIL, "registration_email_patterns": "example.org"},
            "matrix_registration_email_patterns must be a list, not a text.",
            id="domains that are no list",
        ),
        pytest.param(
            {"registration_terms": {"version": "1"}},
            "matrix_registration_terms has no text; write the terms in HTML.",
            id="terms without text",
        ),
        pytest.param(
            {"registration_terms": {"text": "<p>"}},
            "matrix_registration_terms cannot have the version ''; write letters, digits, dots and "
            "hyphens, like 2026-01.",
            id="terms without a version",
        ),
        pytest.param(
            {"registration_terms": {**TERMS, "version": "../secrets"}},
            "matrix_registration_terms cannot have the version '../secrets'; write letters, "
            "digits, dots and hyphens, like 2026-01.",
            id="a version that is a path",
        ),
        pytest.param(
            {"registration_terms": {**TERMS, "file": "terms.html"}},
            "matrix_registration_terms has the unknown key 'file'; it has version and text.",
            id="terms with an unknown key",
        ),
        pytest.param(
            {"registration_captcha": {"secret": "correct horse"}},
            "matrix_registration_captcha cannot have the site_key None; write the public one of "
            "the two keys that reCAPTCHA has made for the server.",
            id="a captcha without its public key",
        ),
        pytest.param(
            {"registration_captcha": {**CAPTCHA, "secret": "correct\nhorse"}},
            "The secret of matrix_registration_captcha must be one line of text; put it in quotes.",
            id="a secret of two lines",
        ),
        pytest.param(
            {"registration_captcha": {"site_key": "a", "secret": "a"}},
            "The secret of matrix_registration_captcha is its site_key, which everybody sees; "
            "write the other key.",
            id="a public secret",
        ),
        pytest.param(
            {"registration_captcha": {**CAPTCHA, "sitekey": "a"}},
            "matrix_registration_captcha has the unknown key 'sitekey'; it has site_key and "
            "secret.",
            id="a captcha with an unknown key",
        ),
        pytest.param(
            {"synapse_settings": {"enable_registration": True}},
            "synapse_settings cannot have 'enable_registration', which follows from "
            "matrix_registration; set that instead.",
            id="another mode",
        ),
        pytest.param(
            {"synapse_settings": {"recaptcha_private_key": "correct horse"}},
            "synapse_settings cannot have 'recaptcha_private_key', which follows from "
            "matrix_registration_captcha; set that instead.",
            id="another captcha",
        ),
        pytest.param(
            {"synapse_settings": {"email": {"smtp_pass": "correct horse"}}},
            "synapse_settings cannot have 'email.smtp_pass', which follows from matrix_smtp; set "
            "that instead.",
            id="another relay",
        ),
        pytest.param(
            {"synapse_settings": {"allow_guest_access": True}},
            "synapse_settings cannot have 'allow_guest_access': guests would make accounts past "
            "every mode of matrix_registration; take it out.",
            id="guests",
        ),
        pytest.param(
            {"synapse_settings": {"registration_shared_secret": "correct horse"}},
            "synapse_settings cannot have 'registration_shared_secret': the host makes this secret "
            "itself and keeps it in a file; take it out.",
            id="a secret of ours in clear",
        ),
        pytest.param(
            {"registration_terms": TERMS, "synapse_settings": {"user_consent": {}}},
            "synapse_settings cannot have 'user_consent' beside matrix_registration_terms; take "
            "one of them out.",
            id="terms twice",
        ),
        pytest.param(
            {
                **EMAIL,
                "registration_email_patterns": ["example.org"],
                "synapse_settings": {"allowed_local_3pids": []},
            },
            "synapse_settings cannot have 'allowed_local_3pids' beside "
            "matrix_registration_email_patterns; take one of them out.",
            id="domains twice",
        ),
        pytest.param(
            {"synapse_settings": ["presence"]},
            "synapse_settings must be a dictionary, not a list.",
            id="settings that are a list",
        ),
    ],
)
def test_what_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_description("example.com", given)


@pytest.mark.parametrize("setting", [*VARIABLES, *OURS])
def test_no_setting_contradicts_a_variable(setting: str) -> None:
    name, _dot, part = setting.partition(".")
    settings = {name: {part: "correct horse"} if part else "correct horse"}
    with pytest.raises(ValueError, match=f"^synapse_settings cannot have '{setting}'") as raised:
        read_description("example.com", {"synapse_settings": settings})
    assert "correct horse" not in str(raised.value)


class Unmade(Mapping[str, object]):
    """Settings as Ansible gives them, of which no value can be made yet."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __getitem__(self, name: str) -> object:
        if name == "email":
            return Unmade("app_name", "smtp_host")
        raise LookupError(f"{name} follows from matrix_site")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def test_the_values_of_settings_are_not_looked_at() -> None:
    """They may be secret, and they may follow from what the filter returns."""
    filters = FilterModule().filters()
    assert filters["site"]("example.com", synapse_settings=Unmade("web_client_location"))
    with pytest.raises(DescriptionError, match=r"'email\.smtp_host'"):
        filters["site"]("example.com", synapse_settings=Unmade("email"))
