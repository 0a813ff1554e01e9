# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of `homestead.matrix.service`: render, send once, bring what is missing."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any, Callable

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_bytes
from ansible.template import trust_as_template

from ..module_utils.service.arguments import (
    ARGUMENTS,
    given_key,
    pack,
)
from ..module_utils.service.model import (
    ServiceError,
    empty_answer,
)
from ..module_utils.service.programs import requirements_path
from ..plugin_utils.program.kept_code import KeptAction
from ..plugin_utils.program.packages import install, last_words

SOURCES = ("template", "content", "document", "copy")
MOST_ROUNDS = 4

Variables = dict[str, Any]
Entry = dict[str, Any]


class ActionModule(KeptAction):
    """Calls the module once when nothing is missing."""

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        try:
            return self._make_true(task_vars or {})
        except ServiceError as error:
            return empty_answer(str(error))

    def _make_true(self, variables: Variables) -> dict[str, Any]:
        arguments = self._arguments(variables)
        installed: list[str] = []
        rounds: list[dict[str, Any]] = []
        for _unused in range(MOST_ROUNDS):
            result = self._ask("service", ARGUMENTS, arguments, variables)
            rounds.append(result)
            needs = result.pop("needs", None)
            if not needs:
                return _together(rounds, installed)
            if failure := self._bring(needs, variables):
                return {**result, "failed": True, "changed": bool(installed), "msg": failure}
            installed += needs["packages"]
        raise ServiceError(f"still missing after installing it: {needs}")

    def _bring(self, needs: dict[str, Any], variables: Variables) -> str:
        """Let the modules made for it bring what is missing; return the message of a failure."""
        call = partial(self._call, variables=variables)
        calls = [("ansible.builtin.group", {"name": g, "system": True}) for g in needs["groups"]]
        calls += [("ansible.builtin.debconf", entry) for entry in needs["debconf"]]
        if needs["account"]:
            calls.append(("ansible.builtin.user", needs["account"]))
        for module, arguments in calls:
            result = call(module, arguments)
            if result.get("failed"):
                return last_words(module, result)
        # Nothing starts by itself: a service runs once its own files are there.
        how = {"archives": needs["archives"], "policy_rc_d": 101}
        if needs["packages"] and (failure := install(needs["packages"], call, **how)):
            return failure
        failures = (self._fetch(download, variables) for download in needs["downloads"])
        return next(filter(None, failures), "")

    def _fetch(self, download: Entry, variables: Variables) -> str:
        """Let a file come to the host, from where it is published or from here."""
        source, folder = download["source"], ""
        if not download["is_url"]:
            folder = self._make_tmp_path()
            here = self._loader.get_real_file(self._find_file(source, variables))
            source = f"file://{self._transfer_file(here, os.path.join(folder, 'file'))}"
        arguments = {
            "url": source,
            "dest": download["waiting"],
            "checksum": f"sha256:{download['sha256']}",
            "mode": "0600",
        }
        result = self._call("ansible.builtin.get_url", arguments, variables)
        if folder:
            self._remove_tmp_path(folder, force=True)  # type: ignore[no-untyped-call]  # Ansible's
        said = result.get("msg", "it failed")
        return f"{download['source']} did not come: {said}" if result.get("failed") else ""

    def _arguments(self, variables: Variables) -> Entry:
        """Return the module's arguments, with all content in one compressed piece."""
        arguments = dict(self._task.args)
        contents: dict[str, bytes] = {}
        files = []
        for entry in arguments.get("files") or ():
            source = self._source(entry)
            if source and arguments.get("state", "present") == "present":
                contents[os.path.normpath(entry["path"])] = self._render(source, entry, variables)
            files.append({k: v for k, v in entry.items() if k not in (*SOURCES, "format")})
        contents.update(self._requirements(arguments, variables))
        secrets, values = _secrets(arguments.get("secrets") or {})
        packed = pack({**contents, **values})
        return {**arguments, "secrets": secrets, "files": files, "contents": packed}

    def _requirements(self, arguments: Entry, variables: Variables) -> dict[str, bytes]:
        """Return the requirements of the venvs, by their paths on the host."""
        entries = [e for e in arguments.get("programs") or () if "requirements" in e]
        complete = [e for e in entries if "path" in e and "version" in e]
        found = (self._find_file(entry["requirements"], variables) for entry in complete)
        read = (Path(self._loader.get_real_file(path)).read_bytes() for path in found)
        return dict(zip(map(requirements_path, complete), read))

    def _source(self, entry: Entry) -> str | None:
        if not isinstance(entry, dict) or "path" not in entry:
            raise ServiceError("each of files needs a path; one has none")
        wanted = entry.get("state", "present") == "present"
        given = [key for key in (*SOURCES, "link") if entry.get(key) is not None]
        if len(given) != wanted:
            raise ServiceError(
                f"{entry['path']} needs exactly one of {', '.join(SOURCES)} and link,"
                " or state absent and none of them"
            )
        return given[0] if given and given[0] != "link" else None

    def _render(self, source: str, entry: Entry, variables: Variables) -> bytes:
        render: dict[str, Callable[[Entry, Variables], bytes]] = {
            "template": self._render_template,
            "content": _render_content,
            "document": _render_document,
            "copy": self._render_copy,
        }
        return render[source](entry, variables)

    def _render_template(self, entry: Entry, variables: Variables) -> bytes:
        """Render as `ansible.builtin.template` does, with its defaults."""
        source = self._find("templates", entry["template"])
        roots = [*variables.get("ansible_search_path", []), self._loader.get_basedir()]
        roots.append(os.path.dirname(source))
        templar = self._templar.copy_with_new_env(
            searchpath=[place for root in roots for place in (f"{root}/templates", root)],
            available_variables={**_template_variables(entry, source), **variables},
        )
        text = trust_as_template(self._loader.get_text_file_contents(source))
        overrides = {"trim_blocks": True, "lstrip_blocks": False, "newline_sequence": "\n"}
        rendered = templar.template(text, escape_backslashes=False, overrides=overrides)
        return bytes(to_bytes("" if rendered is None else rendered))

    def _find(self, folder: str, name: str) -> str:
        find: Callable[[str, str], str] = self._find_needle
        return find(folder, name)

    def _render_copy(self, entry: Entry, variables: Variables) -> bytes:
        source = self._find_file(entry["copy"], variables)
        return Path(self._loader.get_real_file(source)).read_bytes()

    def _find_file(self, name: str, variables: Variables) -> str:
        """Return the path of a role's own file, or else of one of the operator's."""
        operators = (variables.get("inventory_dir"), variables.get("playbook_dir"), os.getcwd())
        folders = list(dict.fromkeys(filter(None, operators)))
        try:
            return self._find("files", name)
        except AnsibleError:
            found = [path for folder in folders if (path := Path(folder, name)).is_file()]
        if not found:
            raise ServiceError(f"{name} is in none of these directories: {', '.join(folders)}")
        return str(found[0])


def _secrets(wished: Entry) -> tuple[Entry, dict[str, bytes]]:
    """Part the secrets, which any output may show, from the values that the operator gives."""
    if not isinstance(wished, dict):
        raise ServiceError("secrets must be a dictionary")
    shown, values = dict(wished), dict[str, bytes]()
    for name, entry in wished.items():
        if not isinstance(entry, dict) or "value" not in entry:
            continue
        shown[name] = {key: value for key, value in entry.items() if key != "value"}
        value = "" if entry["value"] is None else entry["value"]
        if not isinstance(value, str):
            raise ServiceError(f"the value of the secret {name!r} must be text; quote it")
        if value:
            values[given_key(name)] = value.encode()
    return shown, values


def _template_variables(entry: Entry, source: str) -> Variables:
    return {
        "template_path": entry["template"],
        "template_fullpath": source,
        "template_destpath": entry["path"],
    }


def _render_content(entry: Entry, _variables: Variables) -> bytes:
    if not isinstance(entry["content"], str):
        raise ServiceError(f"{entry['path']}: content must be text; data goes to document")
    return str(entry["content"]).encode()


def _render_document(entry: Entry, _variables: Variables) -> bytes:
    data = _plain(entry["document"], entry["path"])
    form = entry.get("format") or ("json" if entry["path"].endswith(".json") else "yaml")
    if form == "json":
        return f"{json.dumps(data, indent=2, ensure_ascii=False)}\n".encode()
    dumped: bytes = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=True, encoding="utf-8", width=1000
    )
    return dumped


def _plain(value: object, path: str) -> object:
    """Return the data as plain Python types, without Ansible's tags."""
    if isinstance(value, dict):
        return {_plain(key, path): _plain(item, path) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, path) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise ServiceError(f"{path}: a document cannot hold {type(value).__name__}")


def _together(rounds: list[dict[str, Any]], installed: list[str]) -> dict[str, Any]:
    """Return the last answer, with what was done and said on the way to it."""
    result = rounds[-1]
    kept = [item for told in rounds for item in told.get("kept", {}).items()]
    warnings = dict.fromkeys(line for told in rounds for line in told.get("warnings", ()))
    if warnings:
        result.update(kept=dict(kept), warnings=list(warnings))
    if installed and "packages" in result:
        result["packages"]["installed"] = installed
        result["changed"] = True
    return result
