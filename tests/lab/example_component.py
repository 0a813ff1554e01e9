# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component that exists for tests only: what one row and one role are enough for."""

from __future__ import annotations

import shutil
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    ApplicationService,
    Component,
    DnsRecord,
    Listener,
    Port,
    Route,
)
from ansible_collections.homestead.matrix.tests.lab.labs import ROOT

ROW = Component(
    name="example",
    title="Example",
    ports=(Port("example", "udp", 7000, 7000, "Example: datagrams"),),
    role="example",
    label="example",
    upstream=Listener(8900, "the example without TLS"),
    routes=(
        Route("/ws", "websocket"),
        Route("/page/", "static", "/opt/example-page/current"),
        Route("/private/", "static", "/opt/example-page/current", private=True),
        Route("/"),
    ),
    client=(("org.example", {"url": "https://{name}"}),),
    records=(DnsRecord("TXT", "v=example1 {hostname}", "Example: proof"),),
    application_service=ApplicationService(sender="examplebot", users="example_.*"),
)


ARCHIVE = Path(__file__).parent / "example_archive.sh"
"""Run on the host, it makes the archive of the example's package and prints its key."""


def collection_with_it(folder: Path, key: str) -> Path:
    """Return where a copy of the collection is installed that has the row and the role."""
    copy = folder / "ansible_collections/homestead/matrix"
    copy.mkdir(parents=True)
    shutil.copy(ROOT / "galaxy.yml", copy)
    for part in ("meta", "playbooks", "plugins", "roles"):
        shutil.copytree(ROOT / part, copy / part)
    shutil.copytree(Path(__file__).parent / "example_role", copy / "roles/example")
    (copy / "roles/example/files/example.asc").write_text(key)
    table = copy / "plugins/plugin_utils/description/components.py"
    rows = "\n)\n\nCOMPONENTS ="
    text = table.read_text()
    assert rows in text
    table.write_text(text.replace(rows, f"\n    {ROW!r},{rows}"))
    return folder
