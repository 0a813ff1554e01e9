# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs: quietly, with a step's message, and with one sentence when they fail."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

REMINDER = 15.0  # seconds after which a long step says that it is still alive


class LabError(Exception):
    """Something the user must know, in one sentence."""


def say(text: str) -> None:
    write(f"lab: {text}\n")


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def attempt(
    arguments: Sequence[str], *, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that may fail."""
    source = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    return subprocess.run(list(arguments), capture_output=True, text=True, check=False, **source)


def run(arguments: Sequence[str], *, text: str | None = None) -> str:
    """Run a program that must succeed; return what it printed."""
    result = attempt(arguments, text=text)
    if result.returncode:
        raise LabError(failure(arguments, result.stderr or result.stdout))
    return result.stdout.strip()


def failure(arguments: Sequence[str], output: str) -> str:
    words = "\n".join(output.strip().splitlines()[-15:]) or "it said nothing"
    return f"`{' '.join(arguments[:6])}` failed:\n{words}"


@contextmanager
def step(message: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    write(f"lab: {message} ...")
    try:
        yield
    except BaseException:
        write(" failed\n")
        raise
    write(f" {time.monotonic() - started:.1f} s\n")


def run_long(
    message: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    source: Path | None = None,
) -> None:
    """Run a program of minutes under a step that shows life."""
    with step(message), tempfile.TemporaryFile("w+") as log:
        with source.open("rb") if source else open("/dev/null", "rb") as standard_input:
            process = subprocess.Popen(
                list(arguments), stdin=standard_input, stdout=log, stderr=log, env=environment
            )
            wait_visibly(process)
        if process.returncode:
            log.seek(0)
            raise LabError(failure(arguments, log.read()))


def wait_visibly(process: subprocess.Popen[bytes]) -> None:
    started = reminded = time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        if time.monotonic() - reminded > REMINDER:
            reminded = time.monotonic()
            write(f" {reminded - started:.0f} s ...")


def complain(error: Exception) -> int:
    sys.stderr.write(f"lab: {error}\n")
    return 1
