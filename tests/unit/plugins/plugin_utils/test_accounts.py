# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.filter.accounts import accounts
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.program.refusal import (
    DescriptionError,
)

PASSWORD = "correct-horse-battery"
BRIDGE = {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"]}
COLUMNS = "name,displayname,admin,state,email,password"
SMTP = {"host": "mail.example.com", "from": "matrix@example.com"}


def made(**given: Any) -> list[dict[str, Any]]:
    """Return the accounts as the module gets them."""
    return accounts({"domain": "example.com", "components": []}, **given)


def file(folder: Path, *lines: str, encoding: str = "utf-8") -> str:
    path = folder / "members.csv"
    path.write_text("\n".join(lines), encoding=encoding)
    return str(path)


def test_without_any_there_is_nothing_to_do() -> None:
    assert site("example.com", {})["accounts"] == []
    assert made() == []


def test_an_account_gets_a_password_unless_it_has_one() -> None:
    users = [
        {"name": "alice", "password": PASSWORD, "displayname": "Alice"},
        {"name": "@bob:example.com", "admin": "no"},
        {"name": "carol", "state": "deactivated"},
    ]
    alice = {"password": PASSWORD, "displayname": "Alice"}
    assert made(users=users) == [
        {"name": "alice", "state": "present", **alice},
        {"name": "bob", "state": "present", "admin": False, "generate_password": True},
        {"name": "carol", "state": "deactivated", "generate_password": True},
    ]


def test_who_gets_e_mail_needs_no_password() -> None:
    told = made(users=[{"name": "alice", "email": "alice@example.org"}])
    assert told == [{"name": "alice", "state": "present", "email": "alice@example.org"}]


def test_administrators_may_have_an_entry_of_their_own_or_not() -> None:
    told = made(admins=["alice", "@bob:example.com"], users=[{"name": "bob", "displayname": "B"}])
    assert {one["name"]: one.get("displayname") for one in told} == {"bob": "B", "alice": None}
    assert all(one["admin"] for one in told)


def test_a_file_has_more_of_them(tmp_path: Path) -> None:
    lines = (
        "name,displayname,admin",
        'alice,"Liddell, Alice",yes',
        "",
        " @bob:example.com ,,",
    )
    told = made(users_file=file(tmp_path, *lines, encoding="utf-8-sig"), users=[{"name": "carol"}])
    assert [one["name"] for one in told] == ["carol", "alice", "bob"]
    assert told[1]["displayname"] == "Liddell, Alice"
    assert told[1]["admin"] is True
    assert set(told[2]) == {"name", "state", "generate_password"}


def test_the_description_has_no_password() -> None:
    derived = site("example.com", {"users": [{"name": "alice", "password": PASSWORD}]})
    assert derived["accounts"] == ["alice"]
    assert PASSWORD not in json.dumps(derived)


NAMES = "names consist of a-z, 0-9 and . _ = - / +"
WRONG: list[Any] = [
    pytest.param(
        {"users": {"alice": {"password": PASSWORD}}},
        "matrix_users must be a list with an entry like {name: alice} for each account.",
        id="no list",
    ),
    pytest.param(
        {"users": ["alice"]},
        "Entry 1 of matrix_users must be a dictionary like {name: alice}.",
        id="no dictionary",
    ),
    pytest.param(
        {"users": [{"name": "alice", "passwd": PASSWORD}]},
        "Entry 1 of matrix_users has the unknown key 'passwd'; write name, displayname, admin, "
        "state, email or password.",
        id="unknown key",
    ),
    pytest.param(
        {"users": [{"admin": True}]},
        "Entry 1 of matrix_users has no name; write one like alice.",
        id="no name",
    ),
    pytest.param(
        {"users": [{"name": "Alice"}]},
        f"Entry 1 of matrix_users has the name 'Alice', but {NAMES}.",
        id="capital letter",
    ),
    pytest.param(
        {"users": [{"name": "alice@example.com"}]},
        f"Entry 1 of matrix_users has the name 'alice@example.com', but {NAMES}.",
        id="e-mail address",
    ),
    pytest.param(
        {"users": [{"name": "alice:example.com"}]},
        f"Entry 1 of matrix_users has the name 'alice:example.com', but {NAMES}.",
        id="half a Matrix ID",
    ),
    pytest.param(
        {"users": [{"name": "a" * 250}]},
        f"Entry 1 of matrix_users has the name '{'a' * 250}', which is too long: with the domain "
        "it may have 255 bytes.",
        id="too long",
    ),
    pytest.param(
        {"users": [{"name": "_alice"}]},
        "Entry 1 of matrix_users has the name '_alice', but only application services have names "
        "that begin with _.",
        id="name of an application service",
    ),
    pytest.param(
        {"users": [{"name": 4711}]},
        "Entry 1 of matrix_users has the name '4711', but only guests have names of digits; add a "
        "letter.",
        id="name of a guest",
    ),
    pytest.param(
        {"admins": ["homestead-admin"]},
        "matrix_admins has the name 'homestead-admin', the account by which the host itself "
        "works; take it out.",
        id="our own account",
    ),
    pytest.param(
        {**BRIDGE, "users": [{"name": "irc_alice"}]},
        "Entry 1 of matrix_users has the name 'irc_alice', which belongs to 'heisenbridge'; "
        "choose another.",
        id="user of a bridge",
    ),
    pytest.param(
        {**BRIDGE, "admins": ["@heisenbridge:example.com"]},
        "matrix_admins has the name '@heisenbridge:example.com', which belongs to "
        "'heisenbridge'; choose another.",
        id="bot of a bridge",
    ),
    pytest.param(
        {"admins": ["@alice:example.org"]},
        "matrix_admins has '@alice:example.org', an account of another server; list those of "
        "example.com only.",
        id="another server",
    ),
    pytest.param(
        {"admins": "alice"},
        "matrix_admins must be a list, not a text.",
        id="administrators that are no list",
    ),
    pytest.param(
        {"admins": ["alice", "@alice:example.com"]},
        "matrix_admins lists 'alice' 2 times; list it once.",
        id="administrator twice",
    ),
    pytest.param(
        {"users": [{"name": "alice"}, {"name": "@alice:example.com"}]},
        "Entry 2 of matrix_users is 'alice' like entry 1 of matrix_users; keep one of them.",
        id="account twice",
    ),
    pytest.param(
        {"admins": ["alice"], "users": [{"name": "alice", "state": "deactivated"}]},
        "Entry 1 of matrix_users is 'alice', deactivated and an administrator; choose one.",
        id="deactivated administrator",
    ),
    pytest.param(
        {"admins": ["alice"], "users": [{"name": "alice", "admin": False}]},
        "Entry 1 of matrix_users is no administrator, but matrix_admins lists it; choose one.",
        id="administrator and not",
    ),
    pytest.param(
        {"users": [{"name": "alice", "state": "absent"}]},
        "Entry 1 of matrix_users has a wrong state; choose present or deactivated.",
        id="state",
    ),
    pytest.param(
        {"users": [{"name": "alice", "admin": "perhaps"}]},
        "Entry 1 of matrix_users has a wrong admin; write true or false.",
        id="admin",
    ),
    pytest.param(
        {"users": [{"name": "alice", "displayname": "A\nB"}]},
        "Entry 1 of matrix_users has a wrong displayname; write one line of at most 256 "
        "characters, in quotes.",
        id="display name of two lines",
    ),
    pytest.param(
        {"users": [{"name": "alice", "password": 12345678}]},
        "Entry 1 of matrix_users has a wrong password; write one line of text, in quotes.",
        id="password that is a number",
    ),
    pytest.param(
        {"users": [{"name": "alice", "password": "short"}]},
        "Entry 1 of matrix_users has a password that is too short or too long; write 8 to 512 "
        "characters, or none, and the host makes one.",
        id="short password",
    ),
    pytest.param(
        {"users": [{"name": "alice", "password": "Alice-2026"}]},
        "Entry 1 of matrix_users has a password with the name in it; choose another.",
        id="password with the name",
    ),
    pytest.param(
        {"users": [{"name": "alice", "email": "alice"}], "smtp": SMTP},
        "Entry 1 of matrix_users has a wrong email: 'alice' is not an e-mail address like "
        "admin@example.com.",
        id="wrong address",
    ),
    pytest.param(
        {"users": [{"name": "alice", "email": "alice@example.org"}]},
        "Entry 1 of matrix_users has an email, which needs matrix_smtp; set that, or take it out.",
        id="no e-mail",
    ),
    pytest.param(
        {
            "users": [
                {"name": "alice", "email": "us@example.org"},
                {"name": "bob", "email": "Us@example.org"},
            ],
            "smtp": SMTP,
        },
        "Entry 2 of matrix_users has the email of entry 1 of matrix_users; each account needs one "
        "of its own.",
        id="address of two",
    ),
    pytest.param(
        {"users_file": "members.csv"},
        "matrix_users_file cannot be 'members.csv'; write the whole path on the controller, like "
        "{{ inventory_dir }}/members.csv.",
        id="relative path",
    ),
    pytest.param(
        {"users_file": "/nowhere/members.csv"},
        "matrix_users_file is '/nowhere/members.csv', which the controller cannot read: No such "
        "file or directory.",
        id="no file",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_wrong_accounts_are_refused_with_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="matrix_") as refused:
        site("example.com", given)
    assert str(refused.value) == sentence
    assert PASSWORD not in sentence


HEADER = f"its first line names columns, like {COLUMNS}"


@pytest.mark.parametrize(
    ("lines", "sentences"),
    [
        pytest.param([], [f"matrix_users_file has no column 'name'; {HEADER}."], id="empty"),
        pytest.param(
            ["alice,Alice"], [f"matrix_users_file has no column 'name'; {HEADER}."], id="no header"
        ),
        pytest.param(
            ["name,phone"],
            [f"matrix_users_file has the unknown column 'phone'; {HEADER}."],
            id="unknown column",
        ),
        pytest.param(
            ["name,name"],
            [f"matrix_users_file has the column 'name' 2 times; {HEADER}, each once."],
            id="column twice",
        ),
        pytest.param(
            ["name,password", f"alice,{PASSWORD},", "bob"],
            [
                "Line 2 of matrix_users_file has 3 values, but the first line names 2 columns.",
                "Line 3 of matrix_users_file has 1 values, but the first line names 2 columns.",
            ],
            id="number of values",
        ),
        pytest.param(
            ["name,admin", "alice,", "Bob,", "carol,perhaps", "", ",yes", "alice,"],
            [
                f"Line 3 of matrix_users_file has the name 'Bob', but {NAMES}.",
                "Line 4 of matrix_users_file has a wrong admin; write true or false.",
                "Line 6 of matrix_users_file has no name; write one like alice.",
                "Line 7 of matrix_users_file is 'alice' like line 2 of matrix_users_file; keep one "
                "of them.",
            ],
            id="a sentence for each line",
        ),
        pytest.param(
            ["name", '"alice'],
            ["Line 2 of matrix_users_file is wrong: unexpected end of data."],
            id="quote without an end",
        ),
    ],
)
def test_wrong_files_are_refused_with_a_sentence_for_each_line(
    tmp_path: Path, lines: list[str], sentences: list[str]
) -> None:
    with pytest.raises(ValueError, match="matrix_") as refused:
        site("example.com", {"users_file": file(tmp_path, *lines)})
    assert str(refused.value).splitlines() == sentences
    with pytest.raises(DescriptionError):
        made(users_file=file(tmp_path, *lines))


@pytest.mark.parametrize(
    ("first", "encoding", "reason"),
    [
        pytest.param("$ANSIBLE_VAULT;1.1;AES256", "utf-8", "encrypted as a whole", id="vault"),
        pytest.param("name,displayname\nalice,\u00c4", "latin-1", "no text in UTF-8", id="Latin 1"),
    ],
)
def test_a_file_that_is_no_plain_text_is_refused(
    tmp_path: Path, first: str, encoding: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        site("example.com", {"users_file": file(tmp_path, first, encoding=encoding)})
