# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bundle of Ketesa is the administration page, and by which checksum it is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from . import values

RELEASE = "https://github.com/etkecc/ketesa/releases/download/v{version}/ketesa.tar.gz"
# Upstream publishes no file of checksums. This one is pinned by the package of Start9 for the same
# file: https://github.com/Start9Labs/synapse-startos, Makefile, commit 022a2b5ef9f0.
KNOWN = {"1.5.0": "1cadaf21d1732d49079fd055ced5759a4243b5d57eb14a5478ba0067d89943c2"}
_FORMS = {
    "version": (r"[0-9][0-9A-Za-z.+~_-]*", "a version like 1.5.0"),
    "url": (r"(https?://[^\s/]+/\S+)?", "an address like https://example.com/ketesa.tar.gz"),
    "file": (r"(/.+)?", "an absolute path on the controller"),
    "sha256": (
        r"((sha256:)?[0-9a-f]{64})?",
        "the 64 small hexadecimal digits that sha256sum prints for the bundle",
    ),
}


@dataclass(frozen=True)
class AdminUi:
    """The bundle, from a URL or from a file of the controller."""

    version: str
    sha256: str
    kind: Literal["url", "file"]
    source: str

    def as_program(self) -> dict[str, str]:
        """Return it as the module `service` has it among the programs."""
        return {"version": self.version, "sha256": self.sha256, self.kind: self.source}


NO_BUNDLE = AdminUi("", "", "url", "")


def read_admin_ui(faults: values.Faults, given: Mapping[str, object]) -> AdminUi | None:
    """Read the bundle; one that is not known by its version needs a checksum."""
    read = {name: faults.read(_read, name, given[f"admin_ui_{name}"]) for name in _FORMS}
    return None if None in read.values() else faults.read(_bundle, read)


def _read(name: str, value: object) -> str:
    form, example = _FORMS[name]
    text = "" if value is None else str(value)
    if not re.fullmatch(form, text):
        raise ValueError(f"admin_ui_{name} cannot be {value!r}; write {example}.")
    return text


def _bundle(read: Mapping[str, str]) -> AdminUi:
    version, url, file = read["version"], read["url"], read["file"]
    if url and file:
        raise ValueError("admin_ui_url and admin_ui_file both name a bundle; take one of them out.")
    known = "" if url or file else KNOWN.get(version, "")
    sha256 = read["sha256"].removeprefix("sha256:") or known
    if not sha256:
        name = "file" if file else "url" if url else "version"
        raise ValueError(
            f"admin_ui_{name} {read[name]!r} needs admin_ui_sha256; write the digest that GitHub "
            "shows beside ketesa.tar.gz of the release, or what sha256sum prints for your bundle."
        )
    if file:
        return AdminUi(version, sha256, "file", file)
    return AdminUi(version, sha256, "url", url or RELEASE.format(version=version))
