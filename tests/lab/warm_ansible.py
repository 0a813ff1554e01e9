# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks without the start of Ansible: it is loaded once, and each playbook is a fork of that.

Half of what a short playbook costs is that start, and the modules it sends are made only once. It
is the same code as `ansible-playbook`; what tests the program itself (its command line, its death)
starts the program. Settings come from the environment in which the first playbook runs, so what
differs between playbooks must be given as arguments.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.homestead.matrix.tests.lab.runs import Run

POLL = 0.01
"""Seconds between looks at the processes of tasks; Ansible's own 0.001 keep 7 % of a core busy."""
_CONTEXT = multiprocessing.get_context("forkserver")
# pytest is what runs the tests: each fork would import it anew.
_CONTEXT.set_forkserver_preload(["loaded_ansible", "pytest"])


def play(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float
) -> Run:
    """Run `ansible-playbook` with these arguments, for so many seconds at most."""
    os.environ["ANSIBLE_NOCOLOR"] = "1"
    here, paths = str(Path(__file__).parent), os.environ["PYTHONPATH"].split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*paths, here]))
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        given = (list(arguments), str(folder), dict(environment), output.name)
        process = _CONTEXT.Process(target=_play, args=given)
        began = time.monotonic()
        process.start()
        process.join(seconds)
        if process.exitcode is None and process.pid:
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
        assert process.exitcode is not None
        return Run(process.exitcode, output.read(), time.monotonic() - began)


def _play(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    """Be `ansible-playbook`, in a session of its own."""
    from ansible import constants
    from ansible.cli.playbook import main

    constants.DEFAULT_INTERNAL_POLL_INTERVAL = POLL
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    written = os.open(output, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(written, standard)
    sys.argv = ["ansible-playbook", *arguments]
    main(sys.argv)
