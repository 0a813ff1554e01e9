# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `firewall` does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..firewall import openings
from ..firewall.backends import backends
from ..firewall.commit import (
    LOCK,
    Firewall,
    Intent,
    Survey,
    Ticket,
)
from ..firewall.system import (
    FirewallError,
    Host,
)
from ..request import ModuleRequest, Result


def answer(request: ModuleRequest) -> Result:
    """Run the asked half of the commit and say what came of it."""
    try:
        return _run(request.arguments, check=request.check)
    except (FirewallError, ValueError, OSError) as error:
        return {**result(Survey(), parameters=request.arguments), "failed": True, "msg": str(error)}


def _run(parameters: dict[str, Any], *, check: bool) -> dict[str, Any]:
    host = Host()
    programs = backends(host)
    firewall = Firewall(host, backends=programs)
    wanted = wish(parameters, names=programs)
    over_ssh = parameters["over_ssh"]
    if check:
        return result(firewall.inspect(wanted, over_ssh=over_ssh), parameters=parameters)
    ticket = Ticket(
        token=parameters["token"],
        seconds=parameters["rollback_seconds"],
        connection=host.ssh_connection() if over_ssh else "",
    )
    if parameters["phase"] == "apply":
        firewall.wait()
    with host.alone(LOCK):
        if parameters["phase"] == "confirm":
            firewall.confirm(ticket=ticket)
            return result(Survey(), parameters=parameters)
        report = firewall.apply(wanted, ticket=ticket, over_ssh=over_ssh)
    return result(report, parameters=parameters, pending=bool(report.due and not report.missing))


def wish(parameters: dict[str, Any], *, names: Iterable[str]) -> Intent:
    """Tell every backend what it shall hold."""
    if not 10 <= parameters["rollback_seconds"] <= 45:
        raise ValueError("rollback_seconds must lie between 10 and 45")
    rules = {name: parameters["rules"].get(name) or {} for name in names}
    return Intent(ports=[openings.parse(row) for row in parameters["ports"]], rules=rules)


def result(report: Survey, *, parameters: dict[str, Any], pending: bool = False) -> dict[str, Any]:
    """Return the module's one shape."""
    lines = report.changes or [f"~ {fault}" for fault in report.faults]
    return {
        "changed": bool(report.due),
        "ports": report.changes,
        "reasons": report.faults,
        "packages": parameters["packages"] if report.missing else [],
        "pending": pending,
        "diff": {"prepared": "".join(f"{line}\n" for line in lines)},
    }
