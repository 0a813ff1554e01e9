# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server for the lab: it takes every mail (RFC 5321) and keeps it in the file it is told."""

from __future__ import annotations

import socket
import socketserver
import sys
from pathlib import Path

REPLIES = {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}


class Handler(socketserver.StreamRequestHandler):
    """One sender, who may send several mails."""

    def handle(self) -> None:
        self.wfile.write(b"220 sink ESMTP\r\n")
        for line in self.rfile:
            verb = line[:4].decode("ascii", "replace").upper()
            self.wfile.write(REPLIES.get(verb, b"250 ok\r\n"))
            if verb == "DATA":
                self.keep()
                self.wfile.write(b"250 kept\r\n")
            if verb == "QUIT":
                return

    def keep(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        with Path(sys.argv[1]).open("ab") as kept:
            kept.writelines([*lines, b"\r\n"])


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.address_family = socket.AF_INET6
    socketserver.ThreadingTCPServer(("::", 25), Handler).serve_forever()
