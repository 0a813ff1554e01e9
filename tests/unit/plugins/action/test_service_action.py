# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.homestead.matrix.plugins.action.service import ActionModule
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import unpack
from ansible_collections.homestead.matrix.plugins.plugin_utils.program import packages

SERVICE, APT = "homestead.matrix.service", "ansible.builtin.apt"
DEBCONF = "ansible.builtin.debconf"
ANSWER = {"changed": False, "packages": {"installed": [], "missing": []}, "units": {}}
FAILED = {"failed": True, "msg": "No package matching 'p' is available"}


def needing(**what: Any) -> dict[str, Any]:
    return {
        **ANSWER,
        "needs": {
            "packages": [],
            "archives": False,
            "debconf": [],
            "groups": [],
            "account": {},
            "downloads": [],
            **what,
        },
    }


class Scripted(ActionModule):
    """The action before a host that answers by script."""

    calls: list[tuple[str, dict[str, Any]]]
    answers: list[dict[str, Any]]

    def _ask(
        self,
        module: str,
        specification: dict[str, Any],  # noqa: ARG002 - the host is asked by script
        arguments: dict[str, Any],
        variables: dict[str, Any],  # noqa: ARG002 - the same
    ) -> dict[str, Any]:
        return self._answer(f"homestead.matrix.{module}", arguments)

    def _execute_module(  # type: ignore[override]  # only what is called here
        self, module_name: str, module_args: dict[str, Any], **_others: Any
    ) -> dict[str, Any]:
        return self._answer(module_name, module_args)

    def _answer(self, module_name: str, module_args: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((module_name, module_args))
        return json.loads(json.dumps(self.answers.pop(0)))  # type: ignore[no-any-return]  # ours


def run(folder: Path, args: dict[str, Any], *answers: dict[str, Any]) -> tuple[Any, Scripted]:
    loader = DataLoader()  # type: ignore[no-untyped-call]  # Ansible does not say its types
    loader.set_basedir(str(folder))
    task = SimpleNamespace(
        args={"name": "demo", **args},
        check_mode=False,
        async_val=0,
        get_search_path=lambda: [str(folder)],
    )
    variables = {"ansible_search_path": [str(folder)], "numbers": [1, 2]}
    templar = Templar(loader, variables=variables)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/x"))
    action = Scripted(task, connection, None, loader, templar, None)  # type: ignore[arg-type]  # fakes
    action.calls, action.answers = [], list(answers or [ANSWER])
    return action.run(task_vars=variables), action


def rendered(folder: Path, **entry: Any) -> bytes:
    path = entry.setdefault("path", "/etc/a")
    _unused, action = run(folder, {"files": [entry]})
    return unpack(action.calls[0][1]["contents"])[path]


def test_no_change_is_one_call(tmp_path: Path) -> None:
    result, action = run(tmp_path, {})
    assert [name for name, _unused in action.calls] == [SERVICE]
    assert not result["changed"]


def test_new_archives_make_every_list_old_and_nothing_said_is_lost(tmp_path: Path) -> None:
    copied, said = {"/etc/apt/sources.list.d/a.sources": "/copy"}, ["a.sources was of others"]
    needs = {**needing(packages=["p"], archives=True), "kept": copied, "warnings": said}
    answers = ({"name": "p", "question": "p/name", "value": "x"},)
    needs["needs"]["debconf"] = answers
    result, action = run(tmp_path, {}, needs, ANSWER, ANSWER, {**ANSWER, "kept": {}})
    assert [name for name, _unused in action.calls] == [SERVICE, DEBCONF, APT, SERVICE]
    assert action.calls[1][1] == answers[0]
    assert action.calls[2][1]["cache_valid_time"] == 0
    assert (result["kept"], result["warnings"]) == (copied, said)


def test_what_is_missing_is_brought_once(tmp_path: Path) -> None:
    needs = needing(packages=["p"], groups=["g"])
    result, action = run(tmp_path, {}, needs, ANSWER, ANSWER, ANSWER)
    assert [name for name, _unused in action.calls] == [
        SERVICE,
        "ansible.builtin.group",
        APT,
        SERVICE,
    ]
    assert action.calls[2][1]["policy_rc_d"] == 101
    assert result["packages"]["installed"] == ["p"]
    assert result["changed"]


def test_an_account_may_come_with_a_package(tmp_path: Path) -> None:
    account = {"name": "turnserver", "groups": ["g"], "append": True}
    script = [needing(packages=["p"]), ANSWER, needing(account=account), ANSWER, ANSWER]
    _unused, action = run(tmp_path, {}, *script)
    assert [name for name, _unused in action.calls][2:] == [
        SERVICE,
        "ansible.builtin.user",
        SERVICE,
    ]
    assert action.calls[3][1] == account


def test_old_package_lists_get_a_second_chance(tmp_path: Path) -> None:
    result, action = run(tmp_path, {}, needing(packages=["p"]), FAILED, ANSWER, ANSWER)
    assert [args.get("cache_valid_time") for _unused, args in action.calls] == [None, 3600, 0, None]
    assert not result.get("failed")


HELD = "Waiting for cache lock: Could not get lock /l. It is held by process 77 (unattended-upgr)"


@pytest.mark.parametrize(
    "locked",
    [
        pytest.param({"msg": "Failed to lock apt for exclusive operation: /lists"}, id="lists"),
        pytest.param(
            {
                "msg": "'apt-get install p' failed",
                "stdout": HELD,
                "stderr": "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock)",
            },
            id="dpkg",
        ),
    ],
)
def test_a_lock_is_waited_for_with_a_word(
    tmp_path: Path, locked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(packages.Display, "display", lambda _self, text: said.append(text))
    script = [needing(packages=["p"]), {"failed": True, **locked}, ANSWER, ANSWER]
    result, action = run(tmp_path, {}, *script)
    assert [args.get("lock_timeout") for _unused, args in action.calls] == [None, 10, 300, None]
    assert not result.get("failed")
    (line,) = said
    assert ("held by process 77 (unattended-upgr)" in line) == ("stdout" in locked)


def test_a_package_that_is_nowhere_fails_in_the_same_shape(tmp_path: Path) -> None:
    result, _unused = run(tmp_path, {}, needing(packages=["p"]), FAILED, FAILED)
    assert result["failed"]
    assert result["msg"] == "ansible.builtin.apt: No package matching 'p' is available"
    assert "units" in result


def test_what_stays_missing_ends_in_a_failure(tmp_path: Path) -> None:
    result, _unused = run(tmp_path, {}, *[needing(groups=["g"]), ANSWER] * 4)
    assert "still missing" in result["msg"]


def test_a_template_is_rendered_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/part.j2").write_text("part of {{ template_destpath }}\n")
    text = "{% for n in numbers %}\n  {{ n }}\n{% endfor %}\n{% include 'part.j2' %}\n"
    (tmp_path / "templates/a.j2").write_text(text)
    assert rendered(tmp_path, template="a.j2") == b"  1\n  2\npart of /etc/a\n"


def test_a_copy_may_stand_beside_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "elsewhere/certificates"
    own.mkdir(parents=True)
    (own / "a.pem").write_text("chain")
    role = tmp_path / "role"
    role.mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert rendered(role, copy="certificates/a.pem") == b"chain"
    result, _action = run(role, {"files": [{"path": "/etc/a", "copy": "certificates/b.pem"}]})
    assert result["msg"].startswith("certificates/b.pem is in none of these directories: /")


def test_a_copy_may_be_binary(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a").write_bytes(b"\0\xff")
    assert rendered(tmp_path, copy="a") == b"\0\xff"


@pytest.mark.parametrize(
    ("entry", "content"),
    [
        pytest.param({"content": "ü\n"}, "ü\n", id="text"),
        pytest.param({"path": "/a.json", "document": {"b": [1]}}, None, id="JSON by name"),
        pytest.param({"document": {"b": [1]}, "format": "json"}, None, id="JSON as told"),
        pytest.param({"document": {"z": "yes", "a": None}}, "z: 'yes'\na: null\n", id="YAML"),
    ],
)
def test_content_and_documents(tmp_path: Path, entry: dict[str, Any], content: str | None) -> None:
    expected = '{\n  "b": [\n    1\n  ]\n}\n' if content is None else content
    assert rendered(tmp_path, **entry).decode() == expected


def test_the_module_never_sees_content_in_clear(tmp_path: Path) -> None:
    files = [{"path": "/etc/a", "content": "hidden"}, {"path": "/etc/b", "link": "a"}]
    _unused, action = run(tmp_path, {"files": files})
    sent = action.calls[0][1]
    assert sent["files"] == [{"path": "/etc/a"}, {"path": "/etc/b", "link": "a"}]
    assert "hidden" not in str(sent)


def test_a_given_secret_travels_among_the_contents(tmp_path: Path) -> None:
    secrets = {"smtp": {"given": True, "value": "correct horse"}, "other": None}
    _unused, action = run(tmp_path, {"secrets": secrets})
    sent = action.calls[0][1]
    assert sent["secrets"] == {"smtp": {"given": True}, "other": None}
    assert unpack(sent["contents"]) == {"secret smtp": b"correct horse"}


def test_a_secret_that_is_a_number_is_refused_without_telling_it(tmp_path: Path) -> None:
    secrets = {"smtp": {"given": True, "value": 12345678}}
    result, action = run(tmp_path, {"secrets": secrets})
    assert result["msg"] == "the value of the secret 'smtp' must be text; quote it"
    assert not action.calls


def test_what_is_absent_is_not_rendered(tmp_path: Path) -> None:
    files = [{"path": "/etc/a", "template": "nowhere.j2"}]
    _unused, action = run(tmp_path, {"files": files, "state": "absent"})
    assert unpack(action.calls[0][1]["contents"]) == {}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        pytest.param({"content": "a"}, "each of files needs a path", id="no path"),
        pytest.param({"path": "/a"}, "/a needs exactly one of template, content", id="no source"),
        pytest.param({"path": "/a", "content": "", "link": "b"}, "exactly one of", id="two"),
        pytest.param({"path": "/a", "content": {}}, "data goes to document", id="data as text"),
        pytest.param({"path": "/a", "document": {1, 2}}, "cannot hold set", id="no data"),
    ],
)
def test_wrong_files(tmp_path: Path, entry: dict[str, Any], words: str) -> None:
    result, action = run(tmp_path, {"files": [entry]})
    assert words in result["msg"]
    assert not action.calls


DOWNLOAD = {"is_url": True, "sha256": "0" * 64, "waiting": "/var/lib/x", "target": "/opt/a/1"}
GET_URL = "ansible.builtin.get_url"


def test_a_download_comes_before_the_module_is_asked_again(tmp_path: Path) -> None:
    needs = needing(downloads=[{**DOWNLOAD, "source": "https://example.com/a"}])
    _result, action = run(tmp_path, {}, needs, {"changed": True}, ANSWER)
    assert [name for name, _unused in action.calls] == [SERVICE, GET_URL, SERVICE]
    expected = {"url": "https://example.com/a", "dest": "/var/lib/x", "mode": "0600"}
    assert action.calls[1][1] == {**expected, "checksum": f"sha256:{'0' * 64}"}


def test_a_download_that_fails_is_named(tmp_path: Path) -> None:
    needs = needing(downloads=[{**DOWNLOAD, "source": "https://example.com/a"}])
    result, _action = run(tmp_path, {}, needs, {"failed": True, "msg": "The checksum differs"})
    assert result["failed"]
    assert result["msg"] == "https://example.com/a did not come: The checksum differs"


def test_requirements_travel_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "needed.txt").write_text("demo==1\n")
    program = {"path": "/opt/a/", "version": "1", "requirements": "needed.txt"}
    _result, action = run(tmp_path, {"programs": [program]})
    contents = unpack(action.calls[0][1]["contents"])
    assert contents["/opt/a/requirements-1.txt"] == b"demo==1\n"
