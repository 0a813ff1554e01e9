# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `nginx_site` does."""

from __future__ import annotations

import shutil
from typing import Any

from ..base_domain import nginx
from ..base_domain.redirects import (
    Redirect,
    asker,
    first_fault,
)
from ..request import ModuleRequest, Result
from ..service.machine import run_program

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def answer(request: ModuleRequest) -> Result:
    """Find the site, or say what is missing."""
    arguments = request.arguments
    try:
        return {"changed": False, "redirects": arguments["redirects"], **found(**arguments)}
    except ValueError as error:
        return {"changed": False, "failed": True, "msg": str(error)}


def configuration(name: str) -> str:
    """Return the configuration of nginx with all its files."""
    program = shutil.which("nginx", path=PATH)
    if program is None:
        raise ValueError(f"There is no nginx on this host that could serve {name}.")
    command = [program, "-T", "-q"]
    done = run_program(command)
    if done.code != 0:
        raise ValueError(f"nginx refuses its own configuration: {done.errors.strip()}")
    return done.output


def found(
    name: str, *, snippet: str, include: str, redirects: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return where the site is served, and whether it serves the redirects already."""
    if not redirects:
        return {}
    servers = nginx.servers(nginx.read_dump(configuration(name)))
    site = nginx.site(servers, name=name, snippet=snippet, include=include)
    address, port = site.listen.address, site.listen.port
    fault = first_fault([Redirect(**each) for each in redirects], asker(name, address, port))
    return {"address": address, "port": port, "file": site.file, "served": fault is None}
