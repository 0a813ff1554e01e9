# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.dnsmasq import (
    configuration,
    effective,
    loads,
)


class Folder(dict[str, str]):
    """Files by their paths."""

    def read(self, path: str) -> str:
        return self.get(path, "")

    def names(self, folder: str) -> list[str]:
        return [path.rpartition("/")[2] for path in self if path.startswith(f"{folder}/")]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        pytest.param("interface=eth0", [("interface", "eth0")], id="value"),
        pytest.param(" interface = eth0 \n", [("interface", "eth0")], id="blanks"),
        pytest.param("no-resolv", [("no-resolv", "")], id="no value"),
        pytest.param("interface=", [("interface", "")], id="empty value"),
        pytest.param("# interface=eth0\n\n   \n\t# x", [], id="comments"),
        pytest.param("interface=eth0 # the world", [("interface", "eth0")], id="comment behind"),
        pytest.param(
            "server=127.0.0.1#5300", [("server", "127.0.0.1#5300")], id="port, no comment"
        ),
        pytest.param('interface="eth0" # x', [("interface", "eth0")], id="quotes"),
        pytest.param('conf-file="/a # b"', [("conf-file", "/a # b")], id="quoted hash"),
        pytest.param("a=1\nb=2\r\n", [("a", "1"), ("b", "2")], id="lines"),
    ],
)
def test_configuration(text: str, statements: list[tuple[str, str]]) -> None:
    assert list(configuration(text)) == statements


@pytest.mark.parametrize(
    ("arguments", "name", "values"),
    [
        pytest.param("-i eth0", "interface", ["eth0"], id="short"),
        pytest.param("-ieth0", "interface", ["eth0"], id="short without blank"),
        pytest.param("-kRiwg0 -a 10.8.0.1", "interface", ["wg0"], id="bundle"),
        pytest.param("-kR", "no-resolv", [""], id="flag in a bundle"),
        pytest.param("--interface eth0", "interface", ["eth0"], id="long"),
        pytest.param("--interface=eth0 -I lo", "interface", ["eth0"], id="long with equals"),
        pytest.param("--local-service -i eth0", "interface", ["eth0"], id="after optional value"),
        pytest.param("-i eth0 --interface=wg0", "interface", ["eth0", "wg0"], id="twice"),
        pytest.param("-u interface -x -i", "interface", None, id="values of other options"),
        pytest.param("", "port", ["1"], id="default file"),
        pytest.param("-C /other", "port", ["2"], id="another file"),
        pytest.param("--conf-file=/other", "port", ["2"], id="another file, long"),
        pytest.param("--conf-file=", "port", ["1"], id="no other file"),
        pytest.param("-C /dev/null", "port", None, id="no file"),
        pytest.param("-C /includes", "port", ["3", "4"], id="files and folders of a file"),
        pytest.param("-C /circle", "port", ["6"], id="files that name each other"),
        pytest.param("-C /dev/null -7 /folder", "port", ["3", "4", "5"], id="folder"),
        pytest.param("-C /dev/null --conf-dir=/folder,*.conf", "port", ["3", "4"], id="filtered"),
    ],
)
def test_effective(arguments: str, name: str, values: list[str] | None) -> None:
    files = Folder(
        {
            "/etc/dnsmasq.conf": "port=1",
            "/other": "port=2",
            "/includes": "conf-dir=/folder,.bak\nconf-file=/folder/a.conf",
            "/circle": "conf-file=/square\nport=6",
            "/square": "conf-file=/circle",
            "/folder/b.conf": "port=4",
            "/folder/a.conf": "port=3",
            "/folder/c.bak": "port=5",
        }
    )
    assert effective(arguments.split(), files=files).get(name) == values


@pytest.mark.parametrize(
    ("entry", "endings", "loaded"),
    [
        pytest.param("README", "", True, id="everything"),
        pytest.param("a.dpkg-old", ".dpkg-dist,.dpkg-old", False, id="left out"),
        pytest.param("a.conf", ".dpkg-dist,.dpkg-old", True, id="not left out"),
        pytest.param("a.conf", "*.conf", True, id="asked for"),
        pytest.param("a.bak", "*.conf", False, id="not asked for"),
        pytest.param("a.bak", "*", True, id="asterisk alone"),
        pytest.param("a.conf", "*.conf,a.conf", False, id="asked for and left out"),
        pytest.param("a~", "", False, id="backup"),
        pytest.param("#a#", "", False, id="saved by emacs"),
        pytest.param(".a", "", False, id="hidden"),
    ],
)
def test_loads(entry: str, endings: str, loaded: bool) -> None:
    assert loads(entry, endings.split(",")) is loaded
