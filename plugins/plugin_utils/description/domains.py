# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains and host names: judged with one sentence that says what would be right."""

from __future__ import annotations

import re

from ...module_utils.names import (
    SERVER_NAME_ADVISED_LENGTH,
    ServerName,
)

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"(?P<name>[^:]+):[0-9]*")


def domain_fault(variable: str, value: object) -> str | None:
    """Return what is wrong with a lower-case DNS name that others must be able to resolve."""
    if value is None or value == "":
        return (
            f"{variable} is not set; write the part after the colon of your Matrix IDs, "
            "like example.com."
        )
    if not isinstance(value, str):
        return f"{variable} {value!r} is not a text; write a name like example.com."
    for judge in (_url_fault, _letter_fault, _port_fault, _shape_fault):
        fault = judge(value)
        if fault:
            return f"{variable} {value!r} {fault}."
    return None


def _url_fault(text: str) -> str | None:
    scheme, separator, rest = text.partition("://")
    if separator:
        return f"has the scheme {scheme}://; write only the name{_like(rest)}"
    if "@" in text:
        return f"has a user before the @; write only the name{_like(text.rpartition('@')[2])}"
    if re.search(r"[/?#]", text):
        return f"has a path; write only the name{_like(text)}"
    if re.search(r"\s", text):
        return f"has white space in it; write only the name{_like(text.strip())}"
    return None


def _letter_fault(text: str) -> str | None:
    if not text.isascii():
        return f"has letters that are not ASCII; write its xn-- form{_like(_ascii_form(text))}"
    if text != text.lower():
        return f"has upper-case letters; write it in lower case{_like(text.lower())}"
    return None


def _port_fault(text: str) -> str | None:
    if _is_address(text):
        return "is an address; write a name that DNS resolves to it, like example.com"
    match = _PORT.fullmatch(text)
    if match:
        return f"has a port; write only the name{_like(match['name'])}"
    return None


def _shape_fault(text: str) -> str | None:
    if text.endswith("."):
        return f"ends with a dot; leave the dot out{_like(text.rstrip('.'))}"
    if "." not in text:
        return "has no dot; write a whole name like example.com"
    if len(text) > SERVER_NAME_ADVISED_LENGTH:
        return f"is too long; a server name has at most {SERVER_NAME_ADVISED_LENGTH} characters"
    for label in text.split("."):
        if not _LABEL.fullmatch(label):
            return (
                f"has a wrong part {label!r} between its dots; each consists of 1 to 63 "
                "letters a-z, digits and inner hyphens"
            )
    if text.rpartition(".")[2].isdigit():
        return "ends with a number; write a name like example.com"
    return None


def _is_address(text: str) -> bool:
    literal = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    try:
        return ServerName.parse(literal).is_literal
    except ValueError:
        return False


def _ascii_form(text: str) -> str:
    try:
        return text.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _like(text: str) -> str:
    """Suggest what is left of the text if that alone would be right."""
    name = re.split(r"[/?#]", text)[0].partition(":")[0].lower().rstrip(".")
    good = bool(name) and not any(
        judge(name) for judge in (_letter_fault, _port_fault, _shape_fault)
    )
    return f", {name}" if good else ""
