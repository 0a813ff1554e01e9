# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that make something true, run only when it is not true yet."""

from __future__ import annotations

import hashlib
import json
import os

from . import pip
from .machine import Machine
from .model import Command, ServiceError, Validation
from .nodes import digest
from .record import Record
from .secrets import Vault


def fingerprint(command: Command, planned: dict[str, str]) -> str:
    """Return what identifies a run: its words and what it reads, as it is or will be."""
    inputs = {path: planned.get(path) or digest(path) for path in command.inputs}
    parts = [command.argv, command.user, command.environment, inputs]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_due(command: Command, host: Machine, record: Record, planned: dict[str, str]) -> bool:
    """Return whether what the command makes true is not true yet."""
    if command.creates is not None and not os.path.exists(command.creates):
        return True
    if command.unless and not holds(command, host):
        return True
    judged = command.creates is not None or bool(command.unless)
    return (not judged or command.rerun) and fingerprint(command, planned) not in record.commands


def holds(command: Command, host: Machine) -> bool:
    """Return whether the command's own question says yes; no user or program yet is a no."""
    try:
        return host.run(command.unless, user=command.user).code == 0
    except ServiceError:
        return False


def run(command: Command, host: Machine, vault: Vault) -> None:
    environment = {key: vault.reveal(value.encode()).decode() for key, value in command.environment}
    if command.argv[: len(pip.PIP)] == pip.PIP:
        environment.update(pip.environment(host))
    outcome = host.run(
        command.argv, user=command.user, environment=environment, seconds=command.timeout
    )
    if outcome.code != 0:
        said = outcome.last_words() or f"exit code {outcome.code}"
        raise ServiceError(f"{command.argv[0]} failed: {said}")


def check(entry: Validation, host: Machine) -> None:
    """Let the program check its own files."""
    outcome = host.run(entry.argv, user=entry.user)
    if outcome.code != 0:
        raise ServiceError(outcome.last_words() or f"{entry.argv[0]} says no without a reason")
