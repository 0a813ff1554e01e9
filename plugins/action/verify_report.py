# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report on the controller what vantages saw of a server."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, TypeVar

from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc
from ansible.utils.display import Display

from ..plugin_utils.handover import page as handover_page
from ..plugin_utils.handover.handover import with_verification
from ..plugin_utils.report.merge import merge
from ..plugin_utils.report.page import as_html
from ..plugin_utils.report.report import (
    Report,
    as_json,
    as_junit,
    timestamp,
)
from ..plugin_utils.report.table import (
    Line,
    table,
    verdict,
)
from ..plugin_utils.report.tap import as_tap

Content = TypeVar("Content")
Forms = Mapping[str, tuple[str, Callable[[Content], str]]]

_FORMS = {
    "json": ("report.json", as_json),
    "html": ("report.html", as_html),
    "junit": ("junit.xml", as_junit),
    "tap": ("report.tap", as_tap),
}
_HANDOVER = {
    "json": ("handover.json", handover_page.as_json),
    "html": ("handover.html", handover_page.as_html),
    "markdown": ("handover.md", handover_page.as_markdown),
}
_FAILING = {"error": ("error",), "warning": ("error", "warning"), "never": ()}
_ARGUMENTS = {
    "looks": {"type": "list", "elements": "dict", "required": True},
    "report_dir": {"type": "path"},
    "handover": {"type": "dict"},
    "fail_on": {"type": "str", "choices": list(_FAILING), "default": "error"},
}
_DIRECTORY_NAME = re.compile(r"(?!\.)[0-9A-Za-z.:\[\]-]+")


class ActionModule(ActionBase):
    """Merges, writes and prints on the controller; the host is not contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make one report of what was seen, and fail if the operator wants that."""
        super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]  # Ansible's
        try:
            report = merge([Report.of(look, checked_at=timestamp()) for look in given["looks"]])
            paths = _write(report, _FORMS, report, given["report_dir"])
            handed = given["handover"] and with_verification(given["handover"], report)
            pages = _write(report, _HANDOVER, handed, given["report_dir"]) if handed else {}
        except (OSError, ValueError) as error:
            return {"failed": True, "msg": f"The report cannot be written: {error}"}
        _print(report, paths, pages, check_mode=self._task.check_mode)
        judged = self._judged(report, paths, failing=_FAILING[given["fail_on"]])
        return {**judged, "handover": pages}

    def _judged(
        self, report: Report, paths: dict[str, str], *, failing: Sequence[str]
    ) -> dict[str, Any]:
        """Fail if there is something that shall; in check mode the server is not yet what it will.

        Findings that are in the files are not repeated: Ansible would print them all.
        """
        result: dict[str, Any] = {
            "changed": False,
            "server_name": report.server_name,
            "vantages": list(report.vantages),
            "summary": report.summary,
            "verdict": report.verdict,
            "report": paths,
        }
        if self._task.check_mode or not any(report.summary[kind] for kind in failing):
            return result
        where = f"; see {paths['html']}" if paths else ""
        return {**result, "failed": True, "msg": f"{report.server_name}: {verdict(report)}{where}"}


def _write(
    report: Report, forms: Forms[Content], content: Content, report_dir: str | None
) -> dict[str, str]:
    """Write files about a server, each whole or not at all, and return their paths.

    Nothing is written about what is no server name; the report itself says that it is none.
    """
    if not report_dir or not _DIRECTORY_NAME.fullmatch(report.server_name):
        return {}
    directory = Path(report_dir).expanduser().absolute() / report.server_name
    texts = {file: form(content) for file, form in forms.values()}
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        _replace(directory / file, text)
    return {name: str(directory / file) for name, (file, _unused) in forms.items()}


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
        new.write(text.encode("utf-8", "replace"))
    os.chmod(new.name, 0o644)
    os.replace(new.name, path)


def _print(
    report: Report, paths: Mapping[str, str], pages: Mapping[str, str], *, check_mode: bool
) -> None:
    """Print the table in one piece, so that those of other hosts do not mix with it."""
    lines = table(report)
    if check_mode:
        lines.append(Line("  Nothing was changed in check mode: this is the server as it is now."))
    if paths:
        lines.append(Line(f"  The whole report: {paths['html']}"))
    if pages:
        lines.append(Line(f"  What people of the server must know: {pages['html']}"))
    lines.append(Line(""))
    Display().display("\n".join(map(_colored, lines)), screen_only=True)
    Display().display("\n".join(line.text for line in lines), log_only=True)


def _colored(line: Line) -> str:
    if not line.color:
        return line.text
    text: str = stringc(line.text, line.color)
    return text
