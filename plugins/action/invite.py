# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a registration token and show it to the operator, and to nobody else.

Neither the result of the task nor a log holds it, at any verbosity: the module's answer is not
shown, and the invitation goes to the terminal only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

from ..plugin_utils.invitation.invitation import Invitation, refuse, write_qr
from ..plugin_utils.program.refusal import RefusingAction

Result = dict[str, Any]

_ARGUMENTS = {
    "server_name": {"type": "str", "required": True},
    "registration": {"type": "str", "required": True},
    "uses": {"type": "int", "default": 1},
    "expires": {"type": "str", "default": "7d"},
    "person": {"type": "str"},
    "qr": {"type": "path"},
    "client": {"type": "str", "default": "https://app.element.io"},
    "cinny": {"type": "str"},
    "url": {"type": "str", "default": "http://127.0.0.1:8008"},
}


class ActionModule(RefusingAction):
    """Asks the host for a token, prints the invitation and writes its QR code."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Invite."""
        super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]  # Ansible's
        try:
            refuse(given, datetime.now(timezone.utc))
        except ValueError as fault:
            return {"failed": True, "msg": str(fault)}
        made = self._token(given, task_vars or {})
        token = made.pop("token", None)
        if made.get("failed") or not token:
            return made
        if not made["usable"]:
            return {**made, "failed": True, "msg": _over(given["person"])}
        invitation = Invitation(given["server_name"], given["client"], made, token, given["cinny"])
        Display().display(f"\n{invitation.text}\n", screen_only=True)
        return {**made, **_drawn(invitation, given["qr"])}

    def _token(self, given: Result, variables: Result) -> Result:
        """Return what the homeserver has made."""
        arguments = {
            "name": given["person"],
            "uses_allowed": given["uses"],
            "expiry": given["expires"],
            "url": given["url"],
            "return_token": True,
        }
        self._low_level_execute_command("true")  # what hinders the connection is still told
        with self._silence():
            result: Result = self._execute_module(
                module_name="homestead.matrix.registration_token",
                module_args={name: it for name, it in arguments.items() if it is not None},
                task_vars=variables,
            )
        return result

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Keep the connection from telling what it hears, as with `no_log`."""
        context = self._connection._play_context
        before, context.no_log = context.no_log, True
        try:
            yield
        finally:
            context.no_log = before


def _over(person: str) -> str:
    return (
        f"The invitation of {person!r} has been used, or has ended; withdraw it with "
        f"-e person={person} -e withdraw=true, and invite again."
    )


def _drawn(invitation: Invitation, qr: str | None) -> Result:
    """Write the QR code if there shall be one, and return where it is."""
    if not qr:
        return {"qr": None}
    path = Path(qr).absolute()
    try:
        write_qr(invitation.code, path)
    except OSError as error:
        return {"failed": True, "msg": f"The QR code cannot be written: {error}."}
    Display().display(f"As a QR code, for whom you invite only: {path}\n")
    return {"qr": str(path)}
