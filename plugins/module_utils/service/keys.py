# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are the private half of a key pair, made and read by OpenSSL."""

from __future__ import annotations

import base64
import binascii

from .machine import Run
from .model import Secret, ServiceError

PROGRAM = "openssl"
"""The package of Debian that brings the program, and the program."""
PUBLIC = ".public"
"""The public half of the key NAME stands beside it as NAME.public."""
IN_PEM = ("pem", "dkim")
"""Kinds of secrets that are RSA keys."""
_KEY_BYTES = 32
# RFC 8410, section 7: what stands before the key in its DER form.
_X25519 = bytes.fromhex("302e020100300506032b656e04220420")


def make_private(secret: Secret, run: Run) -> str:
    """Make a new private key: base64 as WireGuard writes it (RFC 7748), or PEM (RFC 7468)."""
    is_rsa = secret.kind in IN_PEM
    algorithm = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{secret.length}"] if is_rsa else ["X25519"]
    made = _openssl(["genpkey", "-algorithm", *algorithm], secret, run)
    return made if is_rsa else base64.b64encode(_clamped(_der(made)[-_KEY_BYTES:])).decode()


def public_half(secret: Secret, private: str, run: Run) -> str:
    """Return the public half of a private key, or say that it is no such key.

    It has the same form, but for DKIM, where it is what stands in the DNS (RFC 6376 section 3.6.1).
    """
    pem = private if secret.kind in IN_PEM else _as_pem(secret, private)
    public = _openssl(["pkey", "-pubout"], secret, run, stdin=f"{pem}\n")
    if secret.kind == "pem":
        return public
    key = _der(public)
    return base64.b64encode(key if secret.kind == "dkim" else key[-_KEY_BYTES:]).decode()


def _as_pem(secret: Secret, private: str) -> str:
    try:
        key = base64.b64decode(private, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise _no_key(secret)
    text = base64.b64encode(_X25519 + key).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----"


def _der(pem: str) -> bytes:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def _clamped(key: bytes) -> bytes:
    """Return the key in the form that curve and tools take it for (RFC 7748, section 5)."""
    return bytes([key[0] & 248, *key[1:-1], key[-1] & 127 | 64])


class ToolError(ServiceError):
    """The program that makes keys cannot do it, or is not there."""


def _openssl(words: list[str], secret: Secret, run: Run, *, stdin: str = "") -> str:
    outcome = run([PROGRAM, *words], stdin=stdin)
    if outcome.code:
        raise _no_key(secret) if stdin and outcome.code == 1 else ToolError(outcome.last_words(1))
    return outcome.output.strip()


def _no_key(secret: Secret) -> ServiceError:
    is_pem = secret.kind in IN_PEM
    form = "in the form PEM" if is_pem else "32 bytes in base64, as `wg genkey` makes it"
    return ServiceError(f"the secret {secret.name!r} must be a private key, {form}")
