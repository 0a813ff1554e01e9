# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However wrong a description is, no sentence about it repeats a secret of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

SECRET = "canary7"
RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "smtp": ("password", {"host": "mail.example.com", "from": "a@example.com", "user": "a"}),
    "registration_captcha": ("secret", {"site_key": "public"}),
    "oidc_providers": ("client_secret", {"id": "club", "preset": "gitlab", "client_id": "x"}),
    "users": ("password", {"name": "alice"}),
    "synapse_settings": ("turn_shared_secret", {"presence": {"enabled": True}}),
}
"""What holds a secret: under which key, and what else stands there."""
LISTS = ("oidc_providers", "users")


def wrong(name: str) -> Iterator[tuple[str, object]]:
    """Yield what people may write by mistake."""
    key, rest = RIGHT[name]
    right = {**rest, key: SECRET}
    lines = (f"{SECRET}\n{SECRET}", [SECRET], {"value": SECRET}, {SECRET: "value"}, (SECRET, 1))
    entries = {
        **{
            f"a secret as {type(each).__name__} {number}": {**rest, key: each}
            for number, each in enumerate(lines)
        },
        "an unknown key": {**right, "unknown": SECRET},
        "the secret elsewhere": {**rest, "settings": {key: SECRET}},
        **{f"no {each}": {**right, each: None} for each in rest},
        **{f"a wrong {each}": {**right, each: [1]} for each in rest},
        "words": f"{key}={SECRET}",
        "a list": [right],
        "a list of pairs": [[key, SECRET]],
    }
    for what, entry in entries.items():
        yield what, [entry] if name in LISTS else entry
    yield "no list of it" if name in LISTS else "a list of it", right if name in LISTS else [right]
    yield "words instead of it all", f"{key}={SECRET}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}: {what}")
        for name in RIGHT
        for what, value in wrong(name)
    ],
)
def test_no_sentence_repeats_a_secret(name: str, value: object) -> None:
    try:
        told = str(site("example.com", {name: value}))
    except ValueError as error:
        told = str(error)
    assert SECRET not in told
