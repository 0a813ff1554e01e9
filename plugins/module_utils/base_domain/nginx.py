# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nginx serves a name, read from what `nginx -T` prints."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_FILE = re.compile(r"^# configuration file (?P<path>/.+):\n", re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>\#[^\n]*)
      | (?P<mark>[;{}])
      | (?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<word>(?:\\.|\$\{[^}]*\}|[^\s;{}])+)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Directive:
    """One directive with its words, where it stands, and what is in its braces."""

    words: tuple[str, ...]
    file: str
    line: int
    block: list[Directive] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""


@dataclass(frozen=True)
class Listen:
    """An address and a port on which a server block answers."""

    address: str
    port: int
    tls: bool


@dataclass(frozen=True)
class Server:
    """A server block; `includes` are the patterns of its own include lines, at any depth."""

    names: tuple[str, ...]
    listens: tuple[Listen, ...]
    includes: tuple[str, ...]
    file: str
    line: int

    def tls(self) -> bool:
        return any(listen.tls for listen in self.listens)

    def answers(self, name: str) -> bool:
        """Return whether the block names this host."""
        return any(_name_matches(pattern, name) for pattern in self.names)

    def takes(self, path: str) -> bool:
        """Return whether an include line of the block takes this file."""
        return any(glob_matches(pattern, path) for pattern in self.includes)


@dataclass(frozen=True)
class ServedName:
    """Where a name is served: the file of its server block and its first address with TLS."""

    file: str
    listen: Listen


def _name_matches(pattern: str, name: str) -> bool:
    if pattern.startswith("~"):
        return _regular_expression_matches(pattern[1:], name)
    if pattern.startswith("."):
        return name == pattern[1:] or name.endswith(pattern)
    return fnmatch.fnmatchcase(name, pattern)


def _regular_expression_matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern.replace("(?<", "(?P<"), name) is not None
    except re.error:  # one of PCRE's own
        return False


def glob_matches(pattern: str, path: str) -> bool:
    """Return whether a path matches part by part: a star does not match a slash."""
    patterns, parts = pattern.split("/"), path.split("/")
    return len(patterns) == len(parts) and all(map(fnmatch.fnmatchcase, parts, patterns))


def read_dump(dump: str) -> dict[str, list[Directive]]:
    """Return the directives of every file that `nginx -T` printed, the main file first."""
    pieces = _FILE.split(dump)
    return {path: parse(text, path) for path, text in zip(pieces[1::2], pieces[2::2])}


def parse(text: str, file: str) -> list[Directive]:
    """Return the directives of one file; what is unbalanced ends where the text ends."""
    levels: list[list[Directive]] = [[]]
    words: list[str] = []
    for mark, word, line in _tokens(text):
        if not mark:
            words.append(word)
        elif mark == "}":
            levels = levels[:-1] or [[]]
        else:
            directive = Directive(tuple(words), file, line)
            levels[-1].append(directive)
            words = []
            if mark == "{":
                levels.append(directive.block)
    return levels[0]


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield (mark, word, line), of which one of the first two is empty."""
    line = 1
    for match in _TOKEN.finditer(text):
        if match["mark"]:
            yield match["mark"], "", line
        elif match["word"] or match["quoted"]:
            yield "", match["word"] or match["quoted"][1:-1], line
        line += match.group().count("\n")


def servers(files: Mapping[str, list[Directive]]) -> list[Server]:
    """Return the server blocks of HTTP, in reading order."""
    main = next(iter(files), "")
    prefix = posixpath.dirname(main)
    found: list[Server] = []
    for top in _expanded(files.get(main, []), files, prefix):
        if top.name == "http":
            inner = _expanded(top.block, files, prefix)
            found += [_server(each, files, prefix) for each in inner if each.name == "server"]
    return found


def _expanded(
    directives: list[Directive], files: Mapping[str, list[Directive]], prefix: str
) -> Iterator[Directive]:
    """Yield the directives, followed into include lines, which are yielded too."""
    for directive in directives:
        yield directive
        if directive.name == "include":
            pattern = _include_pattern(directive, prefix)
            for path in files:
                if glob_matches(pattern, path):
                    yield from _expanded(files[path], files, prefix)


def _include_pattern(directive: Directive, prefix: str) -> str:
    return posixpath.join(prefix, *directive.words[1:2])


def _server(block: Directive, files: Mapping[str, list[Directive]], prefix: str) -> Server:
    inner = list(_expanded(block.block, files, prefix))
    names = [word for each in inner if each.name == "server_name" for word in each.words[1:]]
    includes = [_include_pattern(each, prefix) for each in inner if each.name == "include"]
    listens = [_listen(each.words[1:]) for each in inner if each.name == "listen"]
    return Server(tuple(names), tuple(listens), tuple(includes), block.file, block.line)


def _listen(words: tuple[str, ...]) -> Listen:
    """Read `listen`: an address, a port or both, then words of which `ssl` matters here."""
    address, _colon, port = words[0].rpartition(":") if words else ("", "", "")
    if words and (words[0].endswith("]") or not port.isdigit()):
        address, port = words[0], "80"
    if address in ("", "*", "0.0.0.0"):
        address = "127.0.0.1"
    address = address.strip("[]")
    return Listen("::1" if address == "::" else address, int(port or 80), "ssl" in words)


def site(all_servers: list[Server], *, name: str, snippet: str, include: str) -> ServedName:
    """Return where a name is served with TLS; a ValueError says what the operator must add."""
    blocks = [each for each in all_servers if each.answers(name) and each.tls()]
    if not blocks:
        raise ValueError(
            f"nginx has no server block with TLS for {name}; add one (listen 443 ssl; "
            f"server_name {name};) that contains the line: {include}"
        )
    without = next((each for each in blocks if not each.takes(snippet)), None)
    if without:
        raise ValueError(
            f"Add the line: {include} to the server block of {name} "
            f"in {without.file} (line {without.line})."
        )
    first = blocks[0]
    return ServedName(first.file, next(listen for listen in first.listens if listen.tls))
