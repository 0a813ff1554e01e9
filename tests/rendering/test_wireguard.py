# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for the private network, judged by the programs that read it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from exposure import assert_low, needs_systemd_analyze
from nginx_rendering import ROLES, Role, described

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NFT, SHELL = (shutil.which(each, path=PATH) for each in ("nft", "sh"))
KEY = "9jalV3EEBnVXahro0pRMQ+cHlmjE33Slo9tddzCVtCw="
PEERS = [{"name": "laptop"}, {"name": "phone", "public_key": KEY, "address": "10.71.0.9"}]
OLD = ["wireguard_peer_old", "wireguard_peer_old.public"]


def role(**inputs: Any) -> Role:
    given = {"components": ["wireguard"], "wireguard_peers": PEERS, **inputs}
    return Role(
        "wireguard",
        matrix_site=described(**given),
        matrix_host={"secrets": ["turn", "wireguard", "wireguard_peer_laptop", *OLD]},
        ansible_search_path=[str(ROLES / "wireguard")],
    )


@needs_systemd_analyze
@pytest.mark.parametrize("unit", ["homestead-wireguard", "homestead-wireguard-rules"])
def test_its_exposure_is_low(unit: str, tmp_path: Path) -> None:
    assert_low(
        f"{unit}.service", role(wireguard_forward=True).render(f"{unit}.service.j2"), tmp_path
    )


@pytest.mark.skipif(NFT is None, reason="nft is not installed")
@pytest.mark.parametrize("forward", [True, False])
def test_its_rules_are_right(forward: bool) -> None:
    rules = role(wireguard_forward=forward).render("rules.nft.j2")
    judged = [str(NFT), "--check", "--file", "-"]
    subprocess.run(judged, input=rules, text=True, check=True)
    assert rules.count('oifname "wg-matrix" accept') == forward


def test_its_script_is_one() -> None:
    script = role().render("tunnel.sh.j2")
    subprocess.run([str(SHELL), "-n"], input=script, text=True, check=True)


def test_peers_have_their_own_addresses_only() -> None:
    text = role().render("interface.conf.j2")
    assert "@@homestead-secret:wireguard@@" in text
    assert f"PublicKey = {KEY}\nAllowedIPs = 10.71.0.9/32, fd" in text
    assert "PublicKey = @@homestead-secret:wireguard_peer_laptop.public@@" in text


def test_the_host_has_the_keys_of_those_without_one_only() -> None:
    ours = role()
    assert list(ours.value("_wireguard_secrets")) == ["wireguard", "wireguard_peer_laptop"]
    (file,) = ours.value("_wireguard_peer_files")
    assert file["path"] == "/etc/homestead/wireguard/peers/laptop.conf"
    assert "Endpoint = matrix.example.com:51820\nAllowedIPs = 10.71.0.0/16, fd" in file["content"]
    assert "mode" not in file  # as it holds a secret, only root reads it


def test_the_keys_of_peers_that_are_gone_go() -> None:
    (command,) = role().value("_wireguard_forgotten")
    kept = "/etc/homestead/secrets"
    assert command["argv"][2:] == [
        f"{kept}/wireguard_peer_old",
        f"{kept}/wireguard_peer_old.public",
        f"{kept}/.wireguard_peer_old.generation",
    ]
