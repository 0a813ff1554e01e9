# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run files of vectors through the verifier: vectors.py [--resolution FILE] [--support FILE]."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "tests/unit/vectors"
PACKAGE = "ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.vectors"


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "ansible_collections/homestead")
        place.mkdir(parents=True)
        for package in (place.parent, place):
            package.joinpath("__init__.py").touch()  # else an installed package comes first
        place.joinpath("matrix").symlink_to(ROOT)
        sys.path.insert(0, folder)
        vectors = import_module(PACKAGE)
        faults = [
            *_faults("resolution", vectors.cases(arguments.resolution), vectors.resolution_fault),
            *_faults("support", vectors.cases(arguments.support), vectors.support_fault),
        ]
    failed = [fault for fault in faults if fault]
    lines = [*failed, f"{len(faults) - len(failed)} passed, {len(failed)} failed"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("resolution", "support"):
        default = FILES / f"{name}.yml"
        parser.add_argument(
            f"--{name}", type=lambda text, default=default: Path(text or default), default=default
        )
    return parser.parse_args()


def _faults(kind: str, cases: list[Any], judge: Callable[[Any], str]) -> Iterator[str]:
    for case in cases:
        fault = judge(case)
        yield f"{kind} {case['id']}: {fault}" if fault else ""


if __name__ == "__main__":
    sys.exit(main())
