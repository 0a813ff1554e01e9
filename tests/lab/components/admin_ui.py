# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration page in the lab: a stand-in for its bundle, and a browser that may open it.

`KETESA_BUNDLE` names a tar.gz of the real Ketesa, in the form of its releases (one directory, built
with `--base=./`), that takes the stand-in's place.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab import browsers
from ansible_collections.homestead.matrix.tests.lab.labs import Lab

STAND_IN = {
    "index.html": """\
<!doctype html>
<title>Stand-in for Ketesa</title>
<form>
  <input name="username"> <input name="password" type="password">
  <button type="submit">Sign in</button>
</form>
<ul></ul>
<script type="module" src="./assets/stand-in.js"></script>
""",
    "config.json": "{}",
    "assets/stand-in.js": """\
const json = async (url, options) => (await fetch(url, options)).json();
const config = await json("config.json");
document.forms[0].onsubmit = async event => {
  event.preventDefault();
  const [user, password] = ["username", "password"].map(name => event.target.elements[name].value);
  const { access_token } = await json(`${config.restrictBaseUrl}/_matrix/client/v3/login`, {
    method: "POST",
    body: JSON.stringify({
      type: "m.login.password", identifier: { type: "m.id.user", user }, password,
    }),
  });
  const { users } = await json(`${config.restrictBaseUrl}/_synapse/admin/v2/users`, {
    headers: { Authorization: `Bearer ${access_token}` },
  });
  for (const { name } of users) {
    document.querySelector("ul").append(
      Object.assign(document.createElement("li"), { textContent: name }),
    );
  }
};
""",
}


def addresses(lab: Lab) -> list[str]:
    """Return the networks that hold the browser's host and nobody else."""
    networks = map(ip_network, lab.settings["verify_allow_private"])
    return [str(ip_network(network[browsers.NUMBER])) for network in networks]


def bundle(lab: Lab) -> Path:
    """Return the real bundle if there is one, else make the stand-in for it."""
    if given := os.environ.get("KETESA_BUNDLE"):
        return Path(given).resolve()
    path = lab.state / "ketesa-stand-in.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in STAND_IN.items():
            entry = tarfile.TarInfo(f"ketesa-stand-in/{name}")
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def variables(lab: Lab) -> dict[str, Any]:
    """Return what the inventory says so that the page can be there."""
    file = bundle(lab)
    return {
        "matrix_admin_networks": addresses(lab),
        "admin_ui_file": str(file),
        "admin_ui_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Add the browser's host, which stays as long as the lab does."""
    browsers.join(lab)
    yield
