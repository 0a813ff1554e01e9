# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, groups, account, downloads: what other modules must bring before the service can be."""

from __future__ import annotations

import contextlib
import grp
import os
from dataclasses import dataclass, field
from typing import Any

from .machine import Machine, find_group, find_user
from .model import Account, Download, Service, ServiceError


@dataclass(frozen=True)
class Needs:
    """What is missing, in the words of the modules that bring it."""

    packages: tuple[str, ...] = ()
    debconf: tuple[dict[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    account: dict[str, Any] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.packages or self.groups or self.account or self.downloads)


def find_needs(service: Service, host: Machine) -> Needs:
    """Return what is missing; an account only once the packages, which may bring it, are there."""
    versions = _installed(host, service.packages)
    missing = tuple(package for package in service.packages if package not in versions)
    groups = tuple(sorted(group for group in _groups(service) if not _is_group(group)))
    account = _account_needs(service.account) if service.account and not missing else {}
    downloads = tuple(entry for entry in service.downloads if not _has_come(entry))
    debconf = service.debconf if missing else ()
    return Needs(missing, debconf, groups, account, downloads, versions)


def _has_come(entry: Download) -> bool:
    return os.path.isdir(entry.target) or os.path.isfile(entry.waiting)


def _installed(host: Machine, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those packages that are fully installed."""
    if not packages:
        return {}
    form = "${Package} ${db:Status-Status} ${Version}\\n"
    outcome = host.run(["dpkg-query", "--show", f"--showformat={form}", *packages])
    lines = (line.split(" ", 2) for line in outcome.output.splitlines())
    return {name: version for name, status, version in lines if status == "installed"}


def _groups(service: Service) -> set[str]:
    account = service.account
    # Packages of others make accounts without a group of their own.
    own = {account.name} if account and _is_user(account.name) else set()
    return {*service.groups, *(account.groups if account else ()), *own}


def _is_user(name: str) -> bool:
    try:
        find_user(name)
    except ServiceError:
        return False
    return True


def _is_group(name: str) -> bool:
    try:
        find_group(name)
    except ServiceError:
        return False
    return True


def _account_needs(account: Account) -> dict[str, Any]:
    """Return the arguments of `ansible.builtin.user` that make this account right, or none."""
    membership = {"name": account.name, "groups": list(account.groups), "append": True}
    if not _is_user(account.name):
        home = {"home": account.home} if account.home else {}
        group = {"group": account.name} if _is_group(account.name) else {}
        how = {"system": True, "create_home": False, "shell": "/usr/sbin/nologin"}
        return {**membership, **how, **home, **group}
    user = find_user(account.name)
    wished = {*account.groups, account.name}
    member_of = {entry.gr_name for entry in grp.getgrall() if account.name in entry.gr_mem}
    with contextlib.suppress(KeyError):
        member_of.add(grp.getgrgid(user.pw_gid).gr_name)
    return {} if wished <= member_of else {**membership, "groups": sorted(wished)}
