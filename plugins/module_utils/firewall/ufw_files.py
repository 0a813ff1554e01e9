# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of ufw: its rules, each after a line that ufw reads again, and its settings."""

from __future__ import annotations

import re

from .openings import place

_START, _END = "### RULES ###\n", "\n### END RULES ###\n"
_TUPLE = re.compile(r"^(?=### tuple ### )", re.MULTILINE)
_COMMENTED = re.compile(
    r"^### tuple ### \S+ (?!any)(\w+) (\d+|any)(?::(\d+))? .* comment=([0-9a-f]+)$", re.MULTILINE
)


def merged(present: str, *, ours: str) -> str:
    """Put our rules in the place of all that admit; what forbids or concerns others stays first."""
    if _END not in present:
        return ours  # as Debian delivers it: nobody has written rules yet
    head, _start, rest = present.partition(_START)
    body, _end, foot = rest.partition(_END)
    kept = "".join(f"\n{rule.strip()}\n" for rule in _TUPLE.split(body)[1:] if not _admits(rule))
    return head + _START + kept + ours.partition(_START)[2].partition(_END)[0] + _END + foot


def _admits(rule: str) -> bool:
    """Read the line before a rule: action, protocol, ..., direction, and perhaps a comment."""
    words = [word for word in rule.partition("\n")[0].split() if not word.startswith("comment=")]
    return words[3].startswith(("allow", "limit")) and words[-1].startswith("in")


def purposes(rules: str) -> dict[str, str]:
    """Return the comments of the rules by the place of a port."""
    return {
        _place(protocol, first, last): bytes.fromhex(comment).decode()
        for protocol, first, last, comment in _COMMENTED.findall(rules)
    }


def _place(protocol: str, first: str, last: str) -> str:
    return protocol if first == "any" else place(protocol, int(first), int(last or first))


def setting(text: str, name: str) -> str:
    """Return the value of a setting, without quotes; nothing if it is not there."""
    found = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
    return found[1].strip("\"' ") if found else ""


def with_setting(text: str, name: str, value: str) -> str:
    """Give a setting another value, where it stands or at the end."""
    line = f"{name}={value}"
    changed, times = re.subn(rf"^{name}=.*$", line, text, flags=re.MULTILINE)
    return changed if times else "\n".join([*text.splitlines(), line, ""])
