# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a dnsmasq, from its command line and the files it reads: see dnsmasq(8)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

Options = Mapping[str, Sequence[str]]  # the values of each option by its long name

DEFAULT_FILE = "/etc/dnsmasq.conf"

_FLAGS = "951yZDNLERKzowefnbvhdkq"  # the short options without a value
_LONG = {
    "1": "enable-dbus",
    "7": "conf-dir",
    "C": "conf-file",
    "I": "except-interface",
    "R": "no-resolv",
    "S": "server",
    "a": "listen-address",
    "i": "interface",
    "p": "port",
    "z": "bind-interfaces",
}
# Long options whose value may be the next word; only those that matter here.
_VALUE_FOLLOWS = {
    "auth-server",
    "conf-dir",
    "conf-script",
    "except-interface",
    "interface",
    "listen-address",
    "local",
    "port",
    "rev-server",
    "server",
    "servers-file",
}
_STATEMENT = re.compile(r'(?:"(?:\\.|[^"\\])*"|(?<=\S)#|[^"#])*')
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')


class Files(Protocol):
    """What is read of a host; what is not there is empty."""

    def read(self, path: str) -> str: ...

    def names(self, folder: str) -> list[str]: ...


def effective(words: Sequence[str], *, files: Files) -> dict[str, list[str]]:
    """Return what a dnsmasq that was started with these arguments goes by."""
    waiting = deque(command_line(words))
    if not any(name == "conf-file" and value for name, value in waiting):
        waiting.append(("conf-file", DEFAULT_FILE))
    options: dict[str, list[str]] = {}
    done: set[str] = set()
    while waiting:
        name, value = waiting.popleft()
        options.setdefault(name, []).append(value)
        for path in _paths(name, value, files=files):
            if path not in done:
                done.add(path)
                waiting.extend(configuration(files.read(path)))
    return options


def command_line(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read the arguments as getopt_long does."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            follows = name in _VALUE_FOLLOWS and not equals
            yield name, next(rest, "") if follows else value
        elif word.startswith("-"):
            yield from _letters(word[1:], rest)


def _letters(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    for number, letter in enumerate(letters, start=1):
        name = _LONG.get(letter, letter)
        if letter not in _FLAGS:
            yield name, letters[number:] or next(rest, "")
            return
        yield name, ""


def configuration(text: str) -> Iterator[tuple[str, str]]:
    """Read the lines of a configuration file."""
    for line in text.splitlines():
        found = _STATEMENT.match(line.strip())
        statement = _QUOTED.sub(r"\1", found.group() if found else "")
        name, _equals, value = statement.partition("=")
        if name.strip():
            yield name.strip(), value.strip()


def _paths(name: str, value: str, *, files: Files) -> list[str]:
    if name == "conf-file" and value:
        return [value]
    if name != "conf-dir":
        return []
    folder, *endings = value.split(",")
    return [f"{folder}/{entry}" for entry in sorted(files.names(folder)) if loads(entry, endings)]


def loads(entry: str, endings: Sequence[str]) -> bool:
    """Tell whether conf-dir loads a file: ``*.conf`` names what it loads, ``.bak`` what not."""
    only = tuple(ending[1:] for ending in endings if ending.startswith("*") and ending != "*")
    never = tuple(ending for ending in endings if ending and not ending.startswith("*"))
    hidden = entry.startswith(".") or entry.endswith("~") or (entry[:1] == entry[-1:] == "#")
    return not hidden and not entry.endswith(never) and (not only or entry.endswith(only))
