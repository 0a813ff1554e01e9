# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of components, as the host remembers it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

_LOOK = """
import hashlib, json, pathlib, sys

for name in sys.argv[1:]:
    record = pathlib.Path(f"/var/lib/homestead/services/{name}.json")
    if not record.exists():
        continue
    data = json.loads(record.read_text())["data"]
    secrets = [f"/etc/homestead/secrets/{secret}" for secret in data["secrets"]]
    for path in map(pathlib.Path, data["paths"] + secrets):
        if path.exists():
            seen = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "there"
            print(json.dumps([name, str(path), seen]))
"""


def gathered(lab: Lab, names: Iterable[str]) -> set[tuple[str, ...]]:
    """Return the paths that stand of these components' data, with checksums of files."""
    told: list[Any] = lab.run("matrix", "python3", "-", *names, stdin=_LOOK).splitlines()
    return {tuple(json.loads(line)) for line in told}
