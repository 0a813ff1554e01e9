# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's signing keys: canonical JSON, ed25519, validity (Publishing Keys)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from ..findings import Check, Finding
from ..strict_json import text_at

_REFERENCE = "Server-Server API, Publishing Keys"
NAME = Check(
    "federation.keys.server_name",
    "federation",
    _REFERENCE,
    "Let the proxy pass this name to the homeserver that has it as server_name, letter by letter.",
)
SIGNATURE = Check(
    "federation.keys.signature",
    "federation",
    "Appendices, Signing JSON",
    "Let the homeserver's answer through unchanged; if it still fails, its signing key is broken.",
)
VALIDITY = Check(
    "federation.keys.validity",
    "federation",
    _REFERENCE,
    "Check the clock of the homeserver, and that no cache stands before /_matrix/key.",
)
OLD = Check(
    "federation.keys.old",
    "federation",
    _REFERENCE,
    "Give each old key 'key' and 'expired_ts' in milliseconds (old_signing_keys in Synapse).",
)
_MINUTES_ADVISED = 60
_KEY_ID = re.compile(r"ed25519:[A-Za-z0-9_]+")
_SAFE_INTEGER = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Return canonical JSON (appendices, Canonical JSON) or raise ValueError."""
    _refuse_numbers(value)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8")


def _refuse_numbers(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, float) or (isinstance(item, int) and abs(item) > _SAFE_INTEGER):
            raise ValueError(f"canonical JSON has no number {item!r:.40}")


def decode(text: str) -> bytes:
    """Decode unpadded base64 (appendices, Unpadded Base64) or raise ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def is_signed(value: dict[str, Any], *, key: bytes, signature: bytes) -> bool:
    """Whether a signature over the object without `signatures` and `unsigned` is right."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signed = {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(signed))
    except InvalidSignature:
        return False
    return True


def judge_keys(value: dict[str, Any], *, server_name: str, where: str, now: float) -> list[Finding]:
    """Judge the answer to /_matrix/key/v2/server; `now` in seconds."""
    return [
        *_name(value, server_name, where),
        *_signatures(value, where),
        *_validity(value, where, now),
        *_old_keys(value, where),
    ]


def _name(value: dict[str, Any], server_name: str, where: str) -> Iterator[Finding]:
    stated = value.get("server_name")
    if stated == server_name:
        yield NAME.ok(f"{where} answers for {server_name}.", where=where)
    else:
        message = f"{where} answers for {str(stated)[:255]!r} instead of {server_name!r}."
        yield NAME.error(message, where=where)


def _signatures(value: dict[str, Any], where: str) -> Iterator[Finding]:
    keys = value.get("verify_keys")
    usable = {
        name: key
        for name, key in (keys.items() if isinstance(keys, dict) else ())
        if _KEY_ID.fullmatch(name)
    }
    if not usable:
        yield SIGNATURE.error(f"{where} publishes no ed25519 key.", where=where)
        return
    faults = [f"{name}: {fault}" for name in usable if (fault := _key_fault(value, name))]
    evidence = {"where": where, "keys": sorted(usable)[:20]}
    if faults:
        yield SIGNATURE.error(
            f"Keys of {where} are not proven: {'; '.join(faults[:5])}.", **evidence
        )
    else:
        yield SIGNATURE.ok(f"The keys of {where} are signed with themselves.", **evidence)


def _key_fault(value: dict[str, Any], key_id: str) -> str:
    key = text_at(value, "verify_keys", key_id, "key")
    signature = text_at(value, "signatures", str(value.get("server_name")), key_id)
    if key is None:
        return "it has no 'key'"
    if signature is None:
        return "the answer is not signed with it"
    try:
        right = is_signed(value, key=decode(key), signature=decode(signature))
    except ValueError as error:
        return f"it cannot be checked ({error})"
    return "" if right else "the signature is wrong"


def _validity(value: dict[str, Any], where: str, now: float) -> Iterator[Finding]:
    until = value.get("valid_until_ts")
    if not isinstance(until, int) or isinstance(until, bool) or abs(until) > _SAFE_INTEGER:
        yield VALIDITY.error(f"{where} does not say until when its keys are valid.", where=where)
        return
    minutes = int(until / 1000 - now) // 60
    evidence = {"where": where, "valid_until_ts": until, "minutes_left": minutes}
    if minutes < 0:
        yield VALIDITY.error(f"The keys of {where} have expired.", **evidence)
    elif minutes < _MINUTES_ADVISED:
        yield VALIDITY.warning(f"The keys of {where} expire in {minutes} minutes.", **evidence)
    else:
        yield VALIDITY.ok(f"The keys of {where} are valid for {minutes // 60} hours.", **evidence)


def _old_keys(value: dict[str, Any], where: str) -> Iterator[Finding]:
    keys = value.get("old_verify_keys", {})
    entries = keys if isinstance(keys, dict) else {"old_verify_keys": None}
    odd = sorted(name for name in entries if not _is_old_key(entries[name]))
    if odd:
        yield OLD.warning(f"{where} has old keys that peers cannot use: {odd[:5]}.", where=where)


def _is_old_key(entry: Any) -> bool:
    return text_at(entry, "key") is not None and isinstance(entry.get("expired_ts"), int)
