# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules whose code the host keeps, so that a task sends its arguments and nothing else.

Ansible sends a module with everything that it imports in each task, and the host compiles all of it
anew: most of what a task costs that changes nothing. Here the code stays, compiled, in the cache of
the user who runs it, under a name that is its fingerprint; a task starts it by that name. If it is
not there, it is brought first, but in check mode. Wherever this cannot be (no pipelining, an
`environment`, a home that cannot be written), the module is sent as Ansible does it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from .refusal import RefusingAction

_ROOT = Path(__file__).parents[2]
_INSIDE = "ansible_collections/homestead/matrix/plugins"
_START = """\
from ansible_collections.homestead.matrix.plugins.module_utils.kept import main

main()
"""
_SENT = ("homeserver", "synapse")
"""What only those modules import that Ansible sends with all of it, because they rarely run."""
_ABSENT = 97
_FOLDER = '"${XDG_CACHE_HOME:-$HOME/.cache}"/homestead-matrix/'
_CHANGES_ON_THE_HOST = re.compile(r'"~|\$')
"""What paths among the arguments would become only there."""
_BRING = """\
import io, os, shutil, sys, tempfile, zipfile
archive, folder = io.BytesIO(sys.stdin.buffer.read()), sys.argv[1]
above = os.path.dirname(folder)
os.makedirs(above, 0o700, exist_ok=True)
new = tempfile.mkdtemp(dir=above)
zipfile.ZipFile(archive).extractall(new)
if not os.path.exists(folder):
    os.rename(new, folder)
kept = sorted(os.scandir(above), key=lambda entry: entry.stat().st_mtime)
for old in kept[:-3]:
    shutil.rmtree(old.path)
"""
"""Puts the code into its folder, whole or not at all; two others stay, for other controllers."""

Variables = dict[str, Any]


def _files() -> dict[str, bytes]:
    """Return all code that modules run on a host, by its path."""
    folder = _ROOT / "module_utils"
    found = sorted(folder.rglob("*.py"))
    sources = [path for path in found if path.relative_to(folder).parts[0] not in _SENT]
    files = {f"{_INSIDE}/{path.relative_to(_ROOT)}": path.read_bytes() for path in sources}
    # Packages of their own, whatever else of this name the host's Python knows.
    folders = {str(folder) for path in files for folder in list(Path(path).parents)[:-1]}
    return {
        "__main__.py": _START.encode(),
        **{f"{folder}/__init__.py": b"" for folder in sorted(folders)},
        **files,
    }


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path, content in _files().items():
        digest.update(f"{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]


_NAME = _fingerprint()


def packed() -> bytes:
    """Return the code as an archive."""
    with io.BytesIO() as archive:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as together:
            for path, content in _files().items():
                together.writestr(path, content)
        return archive.getvalue()


class KeptAction(RefusingAction):
    """An action whose modules are of the collection, with code that the host may keep."""

    def _ask(
        self, module: str, specification: Variables, arguments: Variables, variables: Variables
    ) -> Variables:
        """Run one of the collection's modules and return its result."""
        given = _validated(module, specification, arguments)
        mode = {"check": bool(self._task.check_mode), "diff": bool(self._task.diff)}
        text = json.dumps({"module": module, "arguments": given, **mode}, default=str)
        python = self._python(variables)
        if self._may_keep(text) and python:
            done = self._start(python, text)
            if done["rc"] == _ABSENT and not self._task.check_mode and self._leave_code(python):
                done = self._start(python, text)
            if done["rc"] != _ABSENT:
                return _answer(done)
        # A copy: Ansible puts words of its own into it, and a service asks several times.
        result: Variables = self._execute_module(
            module_name=f"homestead.matrix.{module}",
            module_args=dict(arguments),
            task_vars=variables,
        )
        return result

    def _call(self, module: str, arguments: Variables, variables: Variables) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=module, module_args=arguments, task_vars=variables
        )
        return result

    def _may_keep(self, request: str) -> bool:
        return (
            self._is_pipelining_enabled("new")
            and not self._compute_environment_string()
            and not _CHANGES_ON_THE_HOST.search(request)
        )

    def _python(self, variables: Variables) -> str:
        """Return how the host's shell names the Python that Ansible would use there."""
        if self._task.delegate_to:
            variables = variables["ansible_delegated_vars"][self._task.delegate_to]
        get = constants.config.get_config_value
        given = variables.get("ansible_python_interpreter") or get("INTERPRETER_PYTHON")
        given = str(self._templar.template(given))
        if not given.startswith("auto"):
            return shlex.quote(given) if " " not in given else ""
        known = get("INTERPRETER_PYTHON_FALLBACK", variables=variables)
        tried = " || ".join(f"command -v {shlex.quote(name)}" for name in known)
        return f'"$({tried})"'

    def _start(self, python: str, request: str) -> Variables:
        folder = _FOLDER + _NAME
        # Whoever else could have put it there would run it as the user that we are.
        command = _if(f"[ -O {folder}/__main__.py ]", python, folder)
        return dict(self._low_level_execute_command(command, in_data=request.encode()))

    def _leave_code(self, python: str) -> bool:
        command = _if("true", python, f"-c {shlex.quote(_BRING)} {_FOLDER}{_NAME}")
        return bool(self._low_level_execute_command(command, in_data=packed())["rc"] == 0)


class PlainKeptAction(KeptAction):
    """An action that does nothing but run its module."""

    module: str
    specification: Variables

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Variables:
        """Run the module."""
        super().run(tmp, task_vars)
        return self._ask(self.module, self.specification, self._task.args, task_vars or {})


def _if(condition: str, python: str, arguments: str) -> str:
    """Return a shell command that runs Python, or reads what it is sent: else sending it fails."""
    can = f"{condition} && command -v {python} >/dev/null"
    return f"{can} || {{ cat >/dev/null; exit {_ABSENT}; }}; exec {python} {arguments}"


def _validated(module: str, specification: Variables, arguments: Variables) -> Variables:
    """Return the arguments with all defaults, or fail as the module itself would."""
    result = ArgumentSpecValidator(specification).validate(dict(arguments))
    if result.error_messages:
        unsupported = isinstance(result.errors[0], UnsupportedError)
        kind = f"Unsupported parameters for (homestead.matrix.{module}) module: "
        raise AnsibleActionFail(f"{kind if unsupported else ''}{result.errors.msg}")
    return dict(result.validated_parameters)


def _answer(done: Variables) -> Variables:
    """Return the result among what the program printed, or how it died."""
    answers = [line for line in done["stdout"].splitlines() if line.startswith("{")]
    if done["rc"] == 0 and answers:
        return dict(json.loads(answers[-1]))
    errors = done["stderr"].strip()
    last = errors.splitlines()[-1:] or [f"it ended with status {done['rc']} and said nothing"]
    return {
        "failed": True,
        "changed": False,
        "msg": f"The module failed on the host: {last[0]}",
        "module_stderr": errors,
        "rc": done["rc"],
    }
