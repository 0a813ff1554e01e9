# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
import yaml
from ansible_collections.homestead.matrix.plugins.action.service import _render_document
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import (
    Outcome,
    run_program,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import (
    Secret,
    ServiceError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.nodes import Node
from ansible_collections.homestead.matrix.plugins.module_utils.service.secrets import (
    ALPHABET,
    SHORTEST,
    Vault,
    hide_lines,
    open_vault,
    placeholder,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.wish import (
    Change,
    Wish,
    speakable,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import example, given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True),
    st.text(ALPHABET, min_size=16, max_size=64),
    min_size=1,
    max_size=4,
)


@given(VALUES, st.text("=\n #", max_size=5))
def test_masking_undoes_revealing(values: dict[str, str], between: str) -> None:
    vault = Vault(values, {})
    text = between.join(placeholder(name) for name in values)
    revealed = vault.reveal(text.encode()).decode()
    assert not any(value in vault.mask(revealed) for value in values.values())
    if len(set(values.values())) == len(values):
        assert vault.mask(revealed) == text


@pytest.mark.parametrize("form", ["json", "yaml"])
@given(
    value=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1)
)
@example(value="0000000\\")
@example(value="0000000'")
@example(value="it's \"00\\")
def test_whoever_gives_a_secret_may_use_every_character(form: str, value: str) -> None:
    """A document holds it whole, nothing else comes into it, and no diff shows it."""
    entry = {"path": "/etc/x", "document": {"pass": placeholder("smtp"), "x": 1}, "format": form}
    content = _render_document(entry, {})
    vault = Vault({"smtp": value}, {})
    revealed = vault.reveal(content)
    assert yaml.safe_load(revealed) == {"pass": value, "x": 1}
    assert len(value) < SHORTEST or vault.mask(revealed.decode()).encode() == content


def test_of_a_file_with_a_token_only_the_token_is_hidden() -> None:
    """What a program says stays readable, and a token that was replaced is no secret less."""
    shown = f"id: examplebridge\ntoken: {placeholder('bridge')}\n".encode()
    vault = Vault({"bridge": "token-of-today"}, {})
    wish = Wish("/etc/bridge.yaml", Node("file", content=vault.reveal(shown)), shown=shown)
    change = Change(wish, Node("file", content=b"id: examplebridge\ntoken: token-of-old\n"))
    said = "examplebridge: token-of-today and token-of-old"
    told = speakable(said, [change], [wish], vault)
    assert told == f"examplebridge: {placeholder('bridge')} and (secret)"


def opened(folder: Path, *secrets: Secret, check: bool = False) -> Vault:
    return open_vault(folder, secrets, run_program, check=check)


def test_a_secret_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("a" * 32 + "\n")
    vault = opened(tmp_path, Secret("turn"), Secret("new", 40))
    assert vault.reveal(b"@@homestead-secret:turn@@") == b"a" * 32
    assert list(vault.made) == ["new"]
    assert len(vault.made["new"]) == 40


def test_another_generation_makes_a_secret_anew(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("a" * 32)
    vault = opened(tmp_path, Secret("turn", generation=2))
    assert vault.reveal(b"@@homestead-secret:turn@@") == vault.made["turn"].encode()
    assert vault.mask("a" * 32) == placeholder("turn")
    (tmp_path / ".turn.generation").write_text("2\n")
    assert not opened(tmp_path, Secret("turn", generation=2)).made


def test_an_unknown_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="'other' does not exist"):
        opened(tmp_path / "none").reveal(b"@@homestead-secret:other@@")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param("line 2: 'password: correct horse'", "line 2: '(secret)'", id="whole line"),
        pytest.param("bad value correct horse", "bad value (secret)", id="value"),
        pytest.param("port 587 is taken", "port 587 is taken", id="short words stay"),
    ],
)
def test_lines_of_secret_files_stay_secret(text: str, hidden: str) -> None:
    assert hide_lines(text, [b"port: 587\n  password: correct horse\n"]) == hidden


WIREGUARD = Secret("tunnel", kind="wireguard")


def test_a_key_of_wireguard_has_its_public_half(tmp_path: Path) -> None:
    made = opened(tmp_path, WIREGUARD).made
    private = base64.b64decode(made["tunnel"])
    assert (private[0] & 7, private[31] & 192) == (0, 64)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert base64.b64decode(made["tunnel.public"]) == public


def test_a_key_in_pem_has_its_public_half(tmp_path: Path) -> None:
    made = opened(tmp_path, Secret("mail", 2048, kind="pem")).made
    private = load_pem_private_key(made["mail"].encode(), None)
    assert load_pem_public_key(made["mail.public"].encode()) == private.public_key()
    assert getattr(private, "key_size", 0) == 2048


def test_the_public_half_of_a_key_for_dkim_is_what_the_dns_holds(tmp_path: Path) -> None:
    made = opened(tmp_path, Secret("mail", 2048, kind="dkim")).made
    private = load_pem_private_key(made["mail"].encode(), None)
    assert load_der_public_key(base64.b64decode(made["mail.public"])) == private.public_key()


def test_a_lost_public_half_is_found_again(tmp_path: Path) -> None:
    made = opened(tmp_path, WIREGUARD).made
    (tmp_path / "tunnel").write_text(made["tunnel"])
    assert opened(tmp_path, WIREGUARD).made == {"tunnel.public": made["tunnel.public"]}
    (tmp_path / "tunnel.public").write_text(made["tunnel.public"])
    assert not opened(tmp_path, WIREGUARD).made
    anew = opened(tmp_path, replace(WIREGUARD, generation=2)).made
    assert sorted(anew) == ["tunnel", "tunnel.public"]
    assert anew["tunnel.public"] != made["tunnel.public"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("wireguard", "short", id="no base64 of 32 bytes"),
        pytest.param("wireguard", "A" * 43, id="not padded"),
        pytest.param("pem", "A" * 44, id="no PEM"),
        pytest.param("dkim", "A" * 44, id="no PEM for DKIM"),
    ],
)
def test_what_is_given_must_be_a_key(
    tmp_path: Path, kind: Literal["wireguard", "pem", "dkim"], value: str
) -> None:
    with pytest.raises(ServiceError, match="'given' must be a private key"):
        opened(tmp_path, Secret("given", kind=kind, given=True, value=value))


def test_a_dry_run_needs_no_program_that_makes_keys(tmp_path: Path) -> None:
    def missing(*_argv: object, **_manner: object) -> Outcome:
        return Outcome(127, errors="openssl: No such file or directory")

    vault = open_vault(tmp_path, (WIREGUARD,), missing, check=True)
    assert sorted(vault.made) == ["tunnel", "tunnel.public"]
    with pytest.raises(ServiceError, match="openssl: No such file"):
        open_vault(tmp_path, (WIREGUARD,), missing, check=False)
