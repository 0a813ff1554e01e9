# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the collection as a program that runs without it: a directory for Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_COLLECTION = "ansible_collections.homestead.matrix"
_ROOT = Path(__file__).parents[3]
_START = """\
# Written by Ansible: changes made here are overwritten.
import sys

from {module} import main

main(sys.argv[1:])
"""


def program(module: str) -> dict[str, str]:
    """Return the files of a program by their paths: `python -I directory` calls the main function.

    It gets the module, named from the collection on, and whatever that imports of the collection.
    """
    files = {"__main__.py": _START.format(module=f"{_COLLECTION}.{module}")}
    files["ansible_collections/__init__.py"] = "# Holds nothing but this program.\n"
    waiting, seen = [module], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        text = _path(name).read_text(encoding="utf-8")
        files[f"{_COLLECTION.replace('.', '/')}/{name.replace('.', '/')}.py"] = text
        waiting += _imported(name, text)
    return dict(sorted(files.items()))


def _path(name: str) -> Path:
    return _ROOT.joinpath(*name.split(".")).with_suffix(".py")


def _imported(name: str, text: str) -> Iterator[str]:
    """Name the modules of the collection that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ImportFrom):
            continue
        origin = _origin(name, node)
        if origin is not None:
            inner = (".".join(filter(None, (origin, alias.name))) for alias in node.names)
            yield from (item for item in (origin, *inner) if _path(item).is_file())


def _origin(name: str, node: ast.ImportFrom) -> str | None:
    """Return the module or package that an import names, from the collection on."""
    stated = node.module or ""
    if node.level:
        package = name.split(".")[: -node.level]
        return ".".join(filter(None, (*package, stated)))
    inside = stated.startswith(f"{_COLLECTION}.")
    return stated[len(_COLLECTION) + 1 :] if inside else None
