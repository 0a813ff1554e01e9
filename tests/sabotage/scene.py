# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A healthy server in the lab, and the stranger who looks at it while it is being damaged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import SPOKEN
from ansible_collections.homestead.matrix.plugins.module_utils.verify.look import look
from ansible_collections.homestead.matrix.plugins.modules.verify import ARGUMENTS
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    PEM,
    Authority,
)


@dataclass(frozen=True)
class Look:
    """What the verifier saw: the verdict and id of every finding that somebody should read."""

    findings: list[dict[str, Any]]

    @property
    def named(self) -> set[str]:
        return {
            f"{finding['verdict']} {finding['id']}"
            for finding in self.findings
            if finding["verdict"] in SPOKEN
        }

    def __str__(self) -> str:
        spoken = [finding for finding in self.findings if finding["verdict"] in SPOKEN]
        return "\n".join(f"{item['verdict']} {item['id']}: {item['message']}" for item in spoken)


@dataclass
class Scene:
    """The lab after an operator's first run, with one authority more that the stranger trusts."""

    lab: Lab
    authority: Authority = field(
        default_factory=lambda: Authority.make("Authority of the saboteur")
    )
    owed: set[tuple[str, str]] = field(default_factory=set)
    """Hosts and units whose files are mended, and which have not started again since."""
    variables: dict[str, Any] = field(default_factory=dict)
    """What the operator has set besides the lab's settings."""

    def look(self, *, planned: bool = True) -> Look:
        """Look at the server from this machine, which is a stranger to it."""
        self.settle()
        unplanned = {} if planned else {"expectations": {}}
        return Look(asyncio.run(look({**self._arguments, **unplanned}))["findings"])

    def run(self, host: str, *command: str, text: str = "") -> str:
        """Run a command as root on a host, past ssh and firewall, and fail if it does."""
        return self.lab.run(host, *command, stdin=text)

    def shell(self, host: str, script: str) -> str:
        return self.lab.run(host, "sh", "-ec", script)

    def read(self, host: str, path: str) -> str:
        return self.lab.read(host, path)

    def write(self, host: str, path: str, content: str) -> None:
        self.lab.write(host, path, content)

    def restart(self, host: str, *units: str) -> None:
        """Restart units, as often as the damages of this suite need."""
        self.owed -= {(host, unit) for unit in units}
        if units:
            names = " ".join(units)
            self.shell(host, f"systemctl reset-failed {names}; systemctl restart {names}")

    def owe(self, host: str, *units: str) -> None:
        """Let units start again before the next look: the next damage may want that as well."""
        self.owed |= {(host, unit) for unit in units}

    def settle(self) -> None:
        """Restart what is owed."""
        for host in {host for host, _unit in self.owed}:
            self.restart(host, *sorted(unit for owner, unit in self.owed if owner == host))

    @cached_property
    def _authorities(self) -> str:
        """Write down whom the stranger trusts: the lab's authorities and the saboteur's."""
        ours = self.authority.certificate.public_bytes(PEM).decode()
        path = self.lab.state / "trusted.pem"
        path.write_text(f"{self.lab.authorities.read_text()}{ours}")
        return str(path)

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        defaults = {name: option.get("default") for name, option in ARGUMENTS.items()}
        return {
            **defaults,
            **self.lab.verifier_arguments(**self.variables),
            "ca_file": self._authorities,
        }
