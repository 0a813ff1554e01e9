# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import (
    Secret,
    ServiceError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.secrets import (
    ALPHABET,
    Vault,
    hide_lines,
    open_vault,
    placeholder,
)
from hypothesis import given
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


def test_a_secret_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("a" * 32 + "\n")
    vault = open_vault(tmp_path, (Secret("turn", 64, 1), Secret("new", 40, 1)))
    assert vault.reveal(b"@@homestead-secret:turn@@") == b"a" * 32
    assert list(vault.made) == ["new"]
    assert len(vault.made["new"]) == 40


def test_another_generation_makes_a_secret_anew(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("a" * 32)
    vault = open_vault(tmp_path, (Secret("turn", 64, 2),))
    assert vault.reveal(b"@@homestead-secret:turn@@") == vault.made["turn"].encode()
    assert vault.mask("a" * 32) == placeholder("turn")
    (tmp_path / ".turn.generation").write_text("2\n")
    assert not open_vault(tmp_path, (Secret("turn", 64, 2),)).made


def test_an_unknown_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="'other' does not exist"):
        open_vault(tmp_path / "none", ()).reveal(b"@@homestead-secret:other@@")


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
