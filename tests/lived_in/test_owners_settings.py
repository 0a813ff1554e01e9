# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose owner set up pip for programs of their own: ours come whole, from where they come.

The owner's mirror is a directory on the host that holds one package; pip reaches nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.hosts.service_host import ServiceHost

MIRROR = "[global]\nno-index = true\nfind-links = /srv/mirror\n"
INSTALLED = "/opt/demo/current/bin/python -I -c 'import demo; print(demo.__file__)'"
SETTINGS = {
    "nothing else": "",
    "for the user": "user = true\n",
    "into a directory": "target = /srv/elsewhere\n",
    "below a prefix": "prefix = /srv/elsewhere\n",
    "below a root": "root = /srv/elsewhere\n",
    "only in a venv": "require-virtualenv = true\n",
    "from source": "no-binary = :all:\n",
    "for other machines": "platform = win32\n",
    "with constraints": "constraint = /srv/gone.txt\n",
    "nothing at all": "dry-run = true\n",
    "quietly": "quiet = 3\n",
    "with many words": "verbose = 3\n",
    "with a log": "log = /srv/gone/pip.log\n",
    "for one command": "[install]\nuser = true\nignore-installed = true\n",
}


def wheel() -> bytes:
    """Return the package `demo` 1.0 of one module (PyPA's binary distribution format)."""
    files = {
        "demo.py": "",
        "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    lines = [f"{path},{_sum(text)},{len(text)}" for path, text in files.items()]
    files["demo-1.0.dist-info/RECORD"] = "\n".join([*lines, "demo-1.0.dist-info/RECORD,,"]) + "\n"
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        return packed.getvalue()


def _sum(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


WHEEL = wheel()
REQUIREMENTS = f"demo==1.0 --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}\n"
TASK = {
    "name": "demo",
    "programs": [{"path": "/opt/demo", "version": "1", "requirements": "requirements.txt"}],
    "contents": {"/opt/demo/requirements-1.txt": REQUIREMENTS.encode()},
}


@pytest.fixture(scope="module")
def host() -> Iterator[ServiceHost]:
    host = ServiceHost.up(os.environ.get("LAB_RELEASE", "12"))
    try:
        install = "apt-get install -qq --no-install-recommends python3-pip python3-venv >/dev/null"
        host.shell(
            f"apt-get update -qq; DEBIAN_FRONTEND=noninteractive {install}; mkdir /srv/mirror"
        )
        host.run("tee", "/srv/mirror/demo-1.0-py3-none-any.whl", stdin=WHEEL)
        yield host
    finally:
        host.lab.down()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_program_is_installed_whole(host: ServiceHost, settings: str) -> None:
    host.shell("rm -rf /opt/demo /srv/elsewhere")
    host.run("tee", "/etc/pip.conf", stdin=(MIRROR + settings).encode())
    first, second = host.apply(TASK), host.apply(TASK)
    assert first["changed"], first["msg"]
    assert host.shell(INSTALLED).startswith("/opt/demo/")
    assert not second["changed"]
