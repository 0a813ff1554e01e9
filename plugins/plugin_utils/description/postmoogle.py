# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The e-mail bridge: whose mail it takes, which file it is, and further settings of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, TypeVar

from . import values
from .domains import domain_fault

T = TypeVar("T")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SETTING = re.compile(r"POSTMOOGLE_[A-Z][A-Z_]*")


@dataclass(frozen=True)
class Postmoogle:
    """What the operator says about the e-mail bridge; all of it is empty without the bridge."""

    domains: tuple[str, ...] = ()
    sha256: str = ""
    file: str = ""


def read_postmoogle(
    faults: values.Faults, given: Mapping[str, object], *, is_wanted: bool
) -> Postmoogle:
    """Read what concerns the bridge; what a server without it says must be right as well."""

    def read(name: str, reader: Callable[..., T]) -> T | None:
        return faults.read(reader, f"postmoogle_{name}", given[f"postmoogle_{name}"], is_wanted)

    found = Postmoogle(
        domains=read("domains", read_domains) or (),
        sha256=read("sha256", read_sha256) or "",
        file=read("file", read_file) or "",
    )
    read("settings", check_settings)
    return found if is_wanted else Postmoogle()


def read_domains(name: str, value: object, is_wanted: bool) -> tuple[str, ...]:
    """Read the domains whose mail comes here: no default, since it would take mail from others."""
    given = values.items(name, value)
    if is_wanted and not given:
        raise ValueError(
            f"{name} is empty, so there is no e-mail for 'postmoogle' to take; list the domain "
            "after the @ of its addresses, like mail.example.com, whose mail comes to no other "
            "server."
        )
    values.refuse(domain_fault(name, item) or "" for item in given)
    domains = tuple(map(str, given))
    twice = [domain for domain, times in Counter(domains).items() if times > 1]
    values.refuse(f"{name} lists {domain!r} more than once; list it once." for domain in twice)
    return domains


def read_sha256(name: str, value: object, is_wanted: bool) -> str:
    """Read the checksum of the file, which upstream publishes nowhere beside the file itself."""
    text = str(value or "")
    if _SHA256.fullmatch(text) or not (text or is_wanted):
        return text
    fault = f"cannot be {text!r}" if text else "is not set"
    raise ValueError(
        f"{name} {fault}; write the 64 hexadecimal digits in small letters that "
        "sha256sum prints for the file of the release, or for postmoogle_file."
    )


def read_file(name: str, value: object, _is_wanted: bool) -> str:
    """Read the path of the program on the controller, if it does not come from the release."""
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError(f"{name} cannot be {value!r}; write the path of the program, or nothing.")


def check_settings(name: str, value: object, _is_wanted: bool) -> None:
    """Check further environment variables, without naming their values, which may be secret."""
    given = values.mapping(name, value)
    values.refuse(
        f"{name} has the key {key!r}; write the name of a variable of Postmoogle's, like "
        "POSTMOOGLE_RELAY_HOST."
        for key in given
        if not _SETTING.fullmatch(key)
    )
    values.refuse(
        f"{key} in {name} must be one line of text or a number."
        for key, item in given.items()
        if not isinstance(item, (str, int)) or len(str(item).splitlines()) > 1
    )
