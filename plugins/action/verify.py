# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a server from the task's host; report on the controller."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc
from ansible.utils.display import Display
from ansible_collections.homestead.matrix.plugins.plugin_utils.report import (
    Report,
    as_json,
    as_junit,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report_page import as_html
from ansible_collections.homestead.matrix.plugins.plugin_utils.report_table import (
    Line,
    table,
    verdict,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report_tap import as_tap

_FILES = {"json": "report.json", "html": "report.html", "junit": "junit.xml", "tap": "report.tap"}
_FAILING = {"error": ("error",), "warning": ("error", "warning"), "never": ()}
_BRIEF = ("changed", "report", "seconds", "server_name", "summary", "verdict")
_DIRECTORY_NAME = re.compile(r"(?!\.)[0-9A-Za-z.:\[\]-]+")


class ActionModule(ActionBase):
    """Runs the module of the same name, and makes its findings readable."""

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Look, and make a report of what was found."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        report_dir = arguments.pop("report_dir", None)
        fail_on = arguments.pop("fail_on", "error")
        if fail_on not in _FAILING:
            return _failed(f"fail_on must be one of {', '.join(_FAILING)}, not {fail_on!r}")
        result: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        if result.get("failed"):
            return result
        try:
            return self._reported(
                result, task_vars or {}, report_dir=report_dir, failing=_FAILING[fail_on]
            )
        except (OSError, ValueError) as error:
            return _failed(f"The report cannot be written: {error}")

    def _reported(
        self,
        result: dict[str, Any],
        task_vars: Mapping[str, Any],
        *,
        report_dir: str | None,
        failing: Sequence[str],
    ) -> dict[str, Any]:
        """Write the files, print the table, and fail if the operator wants that.

        In check mode the server is not yet what it shall be, so nothing fails. A failure does not
        repeat the findings that are in the files: Ansible would print them all.
        """
        report = Report.of(result, checked_at=_now(), vantage=self._vantage(task_vars))
        paths = _write(report, Path(report_dir)) if report_dir else {}
        _print(report, paths, check_mode=self._task.check_mode)
        result["report"] = paths
        if self._task.check_mode or not any(report.summary[kind] for kind in failing):
            return result
        where = f"; see {paths['html']}" if paths else ""
        kept = _BRIEF if paths else tuple(result)
        brief = {key: value for key, value in result.items() if key in kept}
        return {**brief, **_failed(f"{report.server_name}: {verdict(report)}{where}")}

    def _vantage(self, task_vars: Mapping[str, Any]) -> str:
        return str(self._task.delegate_to or task_vars.get("inventory_hostname", ""))


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _failed(message: str) -> dict[str, Any]:
    return {"failed": True, "msg": message}


def _write(report: Report, report_dir: Path) -> dict[str, str]:
    """Write the files of a report, each whole or not at all, and return their paths."""
    if not _DIRECTORY_NAME.fullmatch(report.server_name):
        raise ValueError(f"{report.server_name!r} cannot name its directory")
    directory = report_dir.expanduser().absolute() / report.server_name
    texts = {
        "json": as_json(report),
        "html": as_html(report),
        "junit": as_junit(report),
        "tap": as_tap(report),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _replace(directory / _FILES[name], text)
    return {name: str(directory / file) for name, file in _FILES.items()}


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
        new.write(text.encode("utf-8", "replace"))
    os.chmod(new.name, 0o644)
    os.replace(new.name, path)


def _print(report: Report, paths: Mapping[str, str], *, check_mode: bool) -> None:
    """Print the table in one piece, so that those of other hosts do not mix with it."""
    lines = table(report)
    if check_mode:
        lines.append(Line("  Nothing was changed in check mode: this is the server as it is now."))
    if paths:
        lines.append(Line(f"  The whole report: {paths['html']}"))
    lines.append(Line(""))
    Display().display("\n".join(map(_colored, lines)), screen_only=True)
    Display().display("\n".join(line.text for line in lines), log_only=True)


def _colored(line: Line) -> str:
    if not line.color:
        return line.text
    text: str = stringc(line.text, line.color)
    return text
