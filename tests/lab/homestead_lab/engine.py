# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docker engine: used as found; installed and started where none answers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from homestead_lab.shell import LabError, attempt, run, run_long, say, step

ENGINE_PID = Path("/var/run/docker.pid")
PATIENCE = 60.0
WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")
"""How often root may watch files, on all hosts together; each systemd does so several times."""
ENOUGH_WATCHERS = 1024


def answers() -> bool:
    return bool(shutil.which("docker")) and attempt(["docker", "info"]).returncode == 0


def ensure(state: Path) -> None:
    """Make sure that an engine answers, and that the kernel has room for many hosts."""
    if not answers():
        require_root("to start the docker engine")
        install({"dockerd": "docker.io", "docker": "docker.io"})
    if not answers():
        start(state)
    if os.geteuid() == 0 and int(WATCHERS.read_text()) < ENOUGH_WATCHERS:
        WATCHERS.write_text(f"{ENOUGH_WATCHERS}\n")


def require_root(purpose: str) -> None:
    if os.geteuid() != 0:
        raise LabError(
            f"The lab needs root {purpose}; start the engine first, or run this as root."
        )


def install(programs: dict[str, str]) -> None:
    """Install the packages of those programs that are missing."""
    packages = sorted(
        {package for program, package in programs.items() if not shutil.which(program)}
    )
    if not packages:
        return
    require_root(f"to install {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_long("refresh the package lists", ["apt-get", "update"], environment=environment)
    # With what they recommend: on Debian 13 that is where docker's command line comes from.
    command = ["apt-get", "install", "--yes", *packages]
    run_long(f"install {', '.join(packages)}", command, environment=environment)


def start(state: Path) -> None:
    """Start the engine, by the service manager where one runs."""
    with step("start the docker engine"):
        if Path("/run/systemd/system").is_dir():
            run(["systemctl", "start", "docker.service"])
        else:
            start_daemon(state)
        wait_until_it_answers(state)


def start_daemon(state: Path) -> None:
    remove_stale_pid()
    state.mkdir(parents=True, exist_ok=True)
    with (state / "dockerd.log").open("w") as log:
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (state / "pid").write_text(f"{process.pid}\n")


def remove_stale_pid() -> None:
    """Remove what a killed engine leaves behind, and what keeps the next one from starting."""
    if ENGINE_PID.exists() and not is_engine(ENGINE_PID.read_text().strip()):
        ENGINE_PID.unlink()


def is_engine(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd"
    except OSError:
        return False


def wait_until_it_answers(state: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers():
        if time.monotonic() > deadline:
            raise LabError(f"The docker engine does not answer; see {state / 'dockerd.log'}.")
        time.sleep(0.3)


def stop(state: Path) -> None:
    """Stop the engine if the lab started it and nobody else uses it."""
    record = state / "pid"
    pid = record.read_text().strip() if record.exists() else ""
    if not is_engine(pid):
        say("the docker engine was not started by the lab: it stays")
        return
    if others := run(["docker", "ps", "--quiet"]):
        raise LabError(f"The docker engine still runs {len(others.split())} containers: it stays.")
    with step("stop the docker engine"):
        os.kill(int(pid), signal.SIGTERM)
        while is_engine(pid) and not is_zombie(pid):
            time.sleep(0.2)
    shutil.rmtree(state)


def is_zombie(pid: str) -> bool:
    """Say whether the process is over, on a machine whose first process does not reap."""
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()
