# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs for parsers: valid ones with something wrong, rather than noise alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Edit = tuple[int, str, bytes]

NUMBERS = st.integers() | st.sampled_from([0, -1, 2**53, 2**63, 10**400, -(10**400), 1e308])
TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "*",
        "example.com",
        "matrix.example.com:8448",
        "https://matrix.example.com",
        "https://[::1]",
        "https://[fe80::1%25eth0]:8448",
        "http://example.com/",
        "//example.com",
        "https://example.com:99999",
        "https://user:password@example.com?query#fragment",
        "@a:example.com",
        "admin@example.com",
        "m.role.admin",
        "m.login.dummy",
        "msc4121",
        "msc\u0664\u0661",
        "AAAA",
        "\x00\x1b[31m\x9b0m\x7f\u202e\u2028",
        "<script>alert(1)</script>&amp;\"'",
        "x" * 5000,
        "é" * 3000,
        "1." * 300,
        "9" * 400,
    ]
)
"""Texts with which something might go wrong."""
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
SEEDS = st.lists(st.integers(0, 2**16), min_size=1, max_size=6)
CHANGES = st.lists(
    st.tuples(SEEDS, st.sampled_from(["put", "drop", "rename", "wrap", "many"]), VALUES), max_size=4
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 2**16),
        st.sampled_from(["write", "insert", "cut", "end", "repeat"]),
        st.binary(max_size=8),
    ),
    max_size=5,
)


def edited(base: bytes, edits: list[Edit]) -> bytes:
    """Write over bytes, put some in, take some out, break off or repeat a part."""
    for seed, kind, piece in edits:
        place = seed % (len(base) + 1)
        head, tail = base[:place], base[place:]
        base = {
            "write": head + piece + tail[len(piece) :],
            "insert": head + piece + tail,
            "cut": head + tail[len(piece) :],
            "end": head,
            "repeat": head + tail[:16] * len(piece) + tail,
        }[kind]
    return base


def mutated(*bases: bytes) -> st.SearchStrategy[bytes]:
    """Return one of these with a few bytes changed, or noise."""
    return st.binary(max_size=200) | st.builds(edited, st.sampled_from(bases), EDITS)


def changed(base: Any, changes: list[tuple[list[int], str, Any]]) -> Any:
    """Change something somewhere inside a value."""
    holder = [copy.deepcopy(base)]
    for seeds, kind, value in changes:
        _change(holder, seeds, kind, value)
    return holder[0]


def _change(holder: Any, seeds: list[int], kind: str, value: Any) -> None:
    """Walk down as the seeds say and change what is there."""
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not keys:
        return
    key = keys[seeds[0] % len(keys)]
    inner = holder[key]
    if len(seeds) > 1 and isinstance(inner, (dict, list)) and inner:
        _change(inner, seeds[1:], kind, value)
    elif kind == "drop" and isinstance(holder, dict):
        del holder[key]
    elif kind == "rename" and isinstance(holder, dict):
        holder[str(value)[:300]] = holder.pop(key)
    elif kind == "many":
        holder[key] = [inner] * (60 if len(json.dumps(inner)) < 1000 else 2)
    else:
        holder[key] = [value, inner] if kind == "wrap" else value


def written(value: Any) -> bytes:
    """Write JSON as a server might, NaN and lone surrogates included."""
    return json.dumps(value).encode()


def odd(base: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return a valid JSON object with odd types at odd places."""
    return st.builds(changed, st.just(base), CHANGES)


def documents(*bases: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return the bytes of JSON that is odd, cut, or no JSON at all."""
    values = st.sampled_from(bases).flatmap(odd)
    return (
        values.map(written)
        | VALUES.map(written)
        | mutated(
            *map(written, bases), b'{"a": 1, "a": 2}', b"[" * 500, b'{"a":' * 300, b"1" * 5000
        )
    )
