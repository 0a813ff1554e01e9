# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heisenbridge with the administrators of the inventory, and no others.

By itself it takes one owner from its command line and keeps the rest in its settings, which are at
the homeserver. The masks that let people use it (ADDMASK) stay as its owner sets them.
"""

from __future__ import annotations

import asyncio
import glob
import json
from pathlib import Path

from heisenbridge import __main__ as heisenbridge

ADMINISTRATORS = Path(__file__).with_name("administrators.json")


class Bridge(heisenbridge.BridgeAppService):
    """The bridge, which reads its settings once, when it starts."""

    async def load(self) -> None:
        """Read the settings, and put in who administers the bridge."""
        await super().load()
        administrators = json.loads(ADMINISTRATORS.read_text(encoding="utf-8"))
        users = {mask: right for mask, right in self.config["allow"].items() if right != "admin"}
        masks = map(glob.escape, administrators)
        self.config["allow"] = {**users, **dict.fromkeys(masks, "admin")}
        self.config["owner"] = administrators[0]


class Identd(heisenbridge.Identd):
    """Ident, whose port can be taken again at once.

    By itself a start fails for a minute after somebody has asked, because the connection lingers.
    """

    async def start_listening(self, serv: heisenbridge.BridgeAppService, port: int) -> None:
        """Listen on both IPv4 and IPv6, with SO_REUSEADDR, as asyncio does it."""
        self.serv = serv
        self.server = await asyncio.start_server(self.handle, None, port, limit=128)


if __name__ == "__main__":
    heisenbridge.BridgeAppService = Bridge
    heisenbridge.Identd = Identd
    heisenbridge.main()
