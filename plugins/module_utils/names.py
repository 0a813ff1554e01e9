# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as the Matrix specification and RFC 5321 define them: parsed, or judged."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ipv4", "ipv6", "dns"]
Severity = Literal["error", "warning", "info"]

SERVER_NAME_ADVISED_LENGTH = 230
USER_ID_OCTETS = 255
EMAIL_OCTETS = 254
EMAIL_LOCAL_OCTETS = 64
EMAIL_DOMAIN_OCTETS = 255
HOST_LENGTH = 255
LABEL_LENGTH = 63
HIGHEST_PORT = 65535
ROLES = ("m.role.admin", "m.role.security")
PGP_KEYS = ("pgp_key", "dev.zirco.msc4439.pgp_key")
_KEY_SCHEMES = ("https", "openpgp4fpr", "dns")

_SERVER_NAME = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]")
_LABEL = re.compile(r"[0-9A-Za-z-]{1,63}")
_LOCALPART = re.compile(r"[0-9a-z.=_/+-]+")
_HISTORICAL_LOCALPART = re.compile(r"[\x21-\x39\x3b-\x7e]+")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9._-]{0,254}")
_ATOM = r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_SUB_DOMAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?")
_GENERAL_LITERAL = re.compile(r"\[[0-9A-Za-z-]*[0-9A-Za-z]:[\x21-\x5a\x5e-\x7e]+\]")
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(?P<rest>(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)"
)


@dataclass(frozen=True)
class NameFault:
    """What is wrong with a name: a stable code, how bad it is, and one sentence."""

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class ServerName:
    """A server name: `host` as written (IPv6 in brackets), `port` only if one was written."""

    host: str
    port: int | None
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> ServerName:
        """Read a server name (appendices, Server Name) or raise a ValueError of one sentence."""
        match = _SERVER_NAME.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a server name: expected a host and at most a port")
        port = int(match["port"]) if match["port"] else None
        if port is not None and not 0 < port <= HIGHEST_PORT:
            raise ValueError(f"the port of {text!r} is not between 1 and {HIGHEST_PORT}")
        return cls(host=match["host"], port=port, kind=_kind(match["host"]))

    def join(self) -> str:
        """Write the server name again."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """The host without the brackets of an IPv6 literal: what one resolves or connects to."""
        return self.host.strip("[]")

    @property
    def is_literal(self) -> bool:
        """Whether the host is an address and nothing has to be resolved."""
        return self.kind != "dns"


def _kind(host: str) -> Kind:
    if host.startswith("["):
        return _checked_address(host, "ipv6")
    if _FOUR_NUMBERS.fullmatch(host):
        return _checked_address(host, "ipv4")
    if len(host) > HOST_LENGTH:
        raise ValueError(f"the host of a server name has at most {HOST_LENGTH} characters")
    for label in host.split("."):
        if not _LABEL.fullmatch(label):
            raise ValueError(
                f"{host!r} is not a host name: between dots stand 1 to {LABEL_LENGTH} "
                "ASCII letters, digits and hyphens"
            )
    return "dns"


def _checked_address(host: str, kind: Literal["ipv4", "ipv6"]) -> Kind:
    try:
        if kind == "ipv4":
            ipaddress.IPv4Address(host)
        else:
            ipaddress.IPv6Address(host[1:-1] if _IPV6.fullmatch(host) else "")
    except ValueError:
        version = {"ipv4": "IPv4", "ipv6": "IPv6"}[kind]
        raise ValueError(f"{host!r} is not an {version} address") from None
    return kind


def user_id_fault(value: object) -> NameFault | None:
    """Judge a Matrix user ID (appendices, User Identifiers), the historical grammar included."""
    if not isinstance(value, str):
        return NameFault("mxid_type", "error", "the Matrix ID is not a text")
    if not value.startswith("@") or ":" not in value:
        return NameFault(
            "mxid_invalid", "error", f"{value!r} is not a Matrix ID like @user:example.com"
        )
    if len(value.encode("utf-8", "replace")) > USER_ID_OCTETS:
        return NameFault(
            "mxid_too_long", "error", f"a Matrix ID has at most {USER_ID_OCTETS} bytes"
        )
    localpart, server_name = value[1:].split(":", 1)
    try:
        ServerName.parse(server_name)
    except ValueError as error:
        return NameFault("mxid_server_name", "error", f"the Matrix ID {value!r} is wrong: {error}")
    return _localpart_fault(value, localpart)


def _localpart_fault(user_id: str, localpart: str) -> NameFault | None:
    if _LOCALPART.fullmatch(localpart):
        return None
    if _HISTORICAL_LOCALPART.fullmatch(localpart):
        return NameFault(
            "mxid_historical",
            "info",
            f"the Matrix ID {user_id!r} has characters that only historical accounts have; "
            "new ones consist of a-z, 0-9 and . _ = - / +",
        )
    return NameFault(
        "mxid_non_compliant",
        "error",
        f"the part between @ and : of the Matrix ID {user_id!r} must consist of "
        "a-z, 0-9 and . _ = - / +",
    )


def email_fault(value: object) -> NameFault | None:
    """Judge an e-mail address (Mailbox of RFC 5321 section 4.1.2, sizes of section 4.5.3.1)."""
    if not isinstance(value, str):
        return NameFault("email_type", "error", "the e-mail address is not a text")
    plain = "".join(character if character.isascii() else "x" for character in value)
    local, separator, domain = plain.rpartition("@")
    if (
        not separator
        or not _is_local_part(local)
        or not (_is_domain(domain) or _is_literal(domain))
    ):
        return NameFault(
            "email_invalid", "error", f"{value!r} is not an e-mail address like admin@example.com"
        )
    if _is_too_long(value):
        return NameFault("email_too_long", "error", f"the e-mail address {value!r} is too long")
    return _email_warning(value, domain)


def _is_local_part(text: str) -> bool:
    return bool(_DOT_STRING.fullmatch(text) or _QUOTED_STRING.fullmatch(text))


def _is_domain(text: str) -> bool:
    return all(_SUB_DOMAIN.fullmatch(label) for label in text.split("."))


def _is_literal(text: str) -> bool:
    """Whether this is an address literal (RFC 5321 section 4.1.3)."""
    if not (text.startswith("[") and text.endswith("]")):
        return False
    inner = text[1:-1]
    try:
        if inner.lower().startswith("ipv6:"):
            ipaddress.IPv6Address(inner[len("ipv6:") :])
        elif _FOUR_NUMBERS.fullmatch(inner):
            ipaddress.IPv4Address(inner)
        else:
            return bool(_GENERAL_LITERAL.fullmatch(text))
    except ValueError:
        return False
    return True


def _is_too_long(value: str) -> bool:
    local, _separator, domain = value.rpartition("@")
    sizes = [len(part.encode("utf-8", "replace")) for part in (value, local, domain)]
    limits = (EMAIL_OCTETS, EMAIL_LOCAL_OCTETS, EMAIL_DOMAIN_OCTETS)
    return any(size > limit for size, limit in zip(sizes, limits))


def _email_warning(value: str, domain: str) -> NameFault | None:
    if not value.isascii():
        return NameFault(
            "email_non_ascii",
            "warning",
            f"the e-mail address {value!r} has non-ASCII characters, which many programs refuse",
        )
    if domain.startswith("["):
        return NameFault(
            "email_literal",
            "warning",
            f"the e-mail address {value!r} names an address, not a domain",
        )
    if "." not in domain:
        return NameFault(
            "email_single_label",
            "warning",
            f"the domain of the e-mail address {value!r} has no dot",
        )
    return None


def role_fault(value: object) -> NameFault | None:
    """Judge the role of a support contact (appendices, Common Namespaced Identifier Grammar)."""
    known = " or ".join(ROLES)
    if not isinstance(value, str):
        return NameFault("role_type", "error", f"the role is not a text; write {known}")
    if value in ROLES:
        return None
    if not _IDENTIFIER.fullmatch(value):
        return NameFault("role_invalid", "error", f"{value!r} is not a role; write {known}")
    if value.startswith("m."):
        return NameFault(
            "role_reserved", "warning", f"the specification has no role {value!r}; write {known}"
        )
    if "." not in value:
        choice = f"write {known}, or one of your own like com.example.billing"
        return NameFault("role_not_namespaced", "warning", f"{value!r} is not namespaced; {choice}")
    return NameFault("role_custom", "info", f"the role {value!r} is not one of the specification")


def page_fault(value: object) -> NameFault | None:
    """Judge the address of a support page (an absolute URI, RFC 3986 section 4.3)."""
    if not isinstance(value, str):
        return NameFault("page_type", "error", "the support page is not a text")
    match = _URI.fullmatch(value)
    if match is None or (match["scheme"].lower() in ("http", "https") and not _has_host(match)):
        return NameFault(
            "page_invalid", "error", f"{value!r} is not an address like https://example.com/support"
        )
    if match["scheme"].lower() != "https":
        return NameFault(
            "page_http", "warning", f"the support page {value!r} is not served by https"
        )
    return None


def pgp_key_fault(value: object) -> NameFault | None:
    """Judge where the OpenPGP key of a contact is (MSC4439, RFC 9116 section 2.5.4)."""
    match = _URI.fullmatch(value) if isinstance(value, str) else None
    scheme = match["scheme"].lower() if match else ""
    if match and scheme in _KEY_SCHEMES and (scheme != "https" or _has_host(match)):
        return None
    shown = f"{str(value)[:50]!r} is not the address of an OpenPGP key"
    return NameFault("pgp_key", "warning", f"{shown}, like https://example.com/key.asc")


def _has_host(match: re.Match[str]) -> bool:
    return re.match(r"//[^/?#]", match["rest"]) is not None
