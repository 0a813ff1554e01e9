# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rendering tests share."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from ansible.plugins.loader import init_plugin_loader

if TYPE_CHECKING:
    from pathlib import Path

init_plugin_loader()  # before anything is imported from the collection


@pytest.fixture(scope="session")
def nginx_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate and its key for nginx."""
    directory = tmp_path_factory.mktemp("certificate")
    chain, key = directory / "chain.pem", directory / "key.pem"
    words = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test"
    )
    subprocess.run(
        [*words.split(), "-keyout", str(key), "-out", str(chain)], capture_output=True, check=True
    )
    return chain, key
