# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.homestead.matrix.plugins.action.show import ActionModule


def test_the_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    task = SimpleNamespace(
        args={"text": 'one "two"\n  three'}, async_val=0, check_mode=False, action="show"
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    action = ActionModule(task, connection, None, None, None, None)  # type: ignore[no-untyped-call]  # Ansible's
    assert action.run(task_vars={}) == {"changed": False}
    assert capsys.readouterr().out == 'one "two"\n  three\n'
