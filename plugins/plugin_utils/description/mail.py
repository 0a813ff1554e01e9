# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How e-mail to users leaves the server: by the relay of matrix_smtp."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import formataddr, parseaddr

from ...module_utils.names import email_fault
from . import values

PORTS = {"starttls": 587, "implicit": 465, "none": 25}
"""The ways in which the connection is encrypted, each with its usual port (RFC 8314, RFC 6409)."""
KEYS = ("host", "port", "tls", "user", "password", "from")
_EXAMPLE = "{host: smtp.example.com, from: matrix@example.com}"


@dataclass(frozen=True)
class Mail:
    """The relay, without its password; the sender as a header has it, and its address alone."""

    host: str
    port: int
    tls: str
    user: str
    sender: str
    address: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def read_mail(name: str, value: object, registration: str) -> Mail | None:
    """Read the relay, without which nobody can prove an e-mail address."""
    given = values.mapping(name, value)
    if not given:
        if registration == "email":
            raise ValueError(
                f"matrix_registration 'email' needs {name}, the server that sends the messages; "
                f"write {_EXAMPLE}."
            )
        return None
    judges = (_key_fault, _host_fault, _sender_fault, _user_fault, _password_fault)
    values.refuse(judge(given) for judge in judges)
    display_name, address = parseaddr(str(given["from"]))
    port, tls = _read_connection(name, given)
    return Mail(
        host=str(given["host"]),
        port=port,
        tls=tls,
        user=str(given.get("user") or ""),
        sender=formataddr((display_name, address)),
        address=address,
    )


def _key_fault(given: Mapping[str, object]) -> str:
    unknown = [key for key in given if key not in KEYS]
    return f"matrix_smtp has no key {unknown[0]!r}; write {values.listed(KEYS)}." if unknown else ""


def _host_fault(given: Mapping[str, object]) -> str:
    host = given.get("host")
    if isinstance(host, str) and host and (_address(host) or not set(host) & set(":/ @")):
        return ""
    return f"matrix_smtp cannot have the host {host!r}; write only its name, like smtp.example.com."


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _sender_fault(given: Mapping[str, object]) -> str:
    """Judge the sender, which may carry a display name (RFC 5322 section 3.4)."""
    sender = given.get("from")
    _display_name, address = parseaddr(str(sender))
    fault = email_fault(address)
    if values.is_line(sender) and sender and (fault is None or fault.severity != "error"):
        return ""
    return f"matrix_smtp cannot have the sender {sender!r}; write from like matrix@example.com."


def _user_fault(given: Mapping[str, object]) -> str:
    user = given.get("user")
    if user is None or (values.is_line(user) and user):
        return ""
    return f"matrix_smtp cannot have the user {user!r}; write its name in quotes, or leave it out."


def _password_fault(given: Mapping[str, object]) -> str:
    """Judge the password without naming it."""
    password = given.get("password", "")
    if fault := values.secret_fault("The password of matrix_smtp", password):
        return fault
    return "" if given.get("user") or not password else "matrix_smtp has a password but no user."


def _read_connection(name: str, given: Mapping[str, object]) -> tuple[int, str]:
    """Read port and encryption, of which each is the usual one for the other."""
    port = values.port(f"The port of {name}", given["port"]) if "port" in given else None
    usual = "implicit" if port == PORTS["implicit"] else "starttls"
    tls = values.choice(f"The tls of {name}", given.get("tls", usual), tuple(PORTS))
    if port == PORTS["implicit"] and tls != "implicit":
        raise ValueError(
            f"{name} has the port {port} with tls {tls!r}, but there encryption begins at once; "
            "write tls: implicit, or port: 587."
        )
    if tls == "none" and not _is_near(str(given["host"])):
        raise ValueError(
            f"{name} has tls 'none', with which everybody on the way to {given['host']!r} reads "
            "passwords and links; write starttls or implicit, or as host localhost or an address "
            "of your private network, like 10.0.0.5."
        )
    return port or PORTS[tls], tls


def _is_near(host: str) -> bool:
    """Whether the host is this one, or has an address of a private network (RFC 1918, RFC 4193)."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_private)
