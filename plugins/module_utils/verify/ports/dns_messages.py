# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to name servers, and how to tell an answer; what it says is read elsewhere."""

from __future__ import annotations

import struct


def dns_question(
    host: str, identity: bytes, *, kind: int = 1, group: int = 1, recursive: bool = True
) -> bytes:
    """Return a question about a name, for its A records if nothing else (RFC 1035 section 4.1)."""
    labels = [label.encode() for label in host.split(".") if label]
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    header = identity + bytes([recursive]) + b"\0\0\1\0\0\0\0\0\0"
    return header + name + struct.pack("!HH", kind, group)


def missing_of_dns(received: bytes) -> int:
    """Return how many bytes a message over TCP still lacks (RFC 1035 section 4.2.2)."""
    if len(received) < 2:
        return 2 - len(received)
    return max(0, 2 + int.from_bytes(received[:2], "big") - len(received))


def is_dns_answer(answer: bytes, question: bytes) -> bool:
    """Tell whether this is an answer to our question, whatever it says."""
    return len(answer) >= 12 and answer[:2] == question[:2] and bool(answer[2] & 0x80)
