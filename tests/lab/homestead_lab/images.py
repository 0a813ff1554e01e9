# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's images: Debian from mmdebstrap, the rest on top; rebuilt when a recipe changes."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from homestead_lab.engine import install, require_root
from homestead_lab.shell import LabError, attempt, run, run_long
from homestead_lab.topology import OF_EACH_RELEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

CODENAMES = {"12": "bookworm", "13": "trixie"}
NEWEST = "13"
RECIPES = Path(__file__).resolve().parent.parent / "images"
REPOSITORY = RECIPES.parents[2]
PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,python3-apt,sudo,iproute2,ca-certificates,usr-is-merged"
)
MERGED_USR = "/usr/share/mmdebstrap/hooks/maybe-merged-usr"
"""Makes Debian 12 as its installer does, without a program and Perl that merge /usr afterwards."""
MIRROR = "http://deb.debian.org/debian"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
BUNDLE_IN_IMAGES = "etc/ssl/network.pem"
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")


def ensure(tags: list[str]) -> None:
    """Build what is missing or out of date of these images, each after the one it stands on."""
    for tag in dict.fromkeys([*map(foundation, tags), *tags]):
        if tag:
            build(tag)


def foundation(tag: str) -> str:
    """Return the image on which another stands; that of bare hosts stands on none of ours."""
    name, _colon, release = tag.removeprefix("homestead-lab/").partition(":")
    return "" if name == "debian" else f"homestead-lab/debian:{release or NEWEST}"


def known(kinds: Sequence[str] = ()) -> list[str]:
    """Return the images of these kinds, or all of which there is a recipe, for each release."""
    names = kinds or sorted(path.name for path in RECIPES.iterdir())
    return [
        f"homestead-lab/{name}{suffix}"
        for name in names
        for suffix in (
            [f":{release}" for release in CODENAMES] if name in OF_EACH_RELEASE else [""]
        )
    ]


def build(tag: str) -> None:
    image, _colon, release = tag.removeprefix("homestead-lab/").partition(":")
    if image_id(tag) and not (RECIPES / image).exists():
        return  # somebody kept a finished host
    with tempfile.TemporaryDirectory(prefix="homestead-lab-") as folder:
        context = Path(folder)
        fill_context(context, image)
        base = foundation(tag) or bootstrap(release)
        fingerprint = hash_of(context, image_id(base))
        if label(tag) == fingerprint:
            return
        command = [
            "docker",
            "build",
            "--tag",
            tag,
            "--label",
            f"homestead-lab.recipe={fingerprint}",
        ]
        command += ["--build-arg", f"BASE={base}"] if release else []
        # The engine's own builder: no other knows the images that were made here.
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        run_long(f"build the image {tag}", [*command, folder], environment=environment)


def fill_context(context: Path, image: str) -> None:
    """Collect what the image is made of."""
    if not (RECIPES / image / "Dockerfile").exists():
        raise LabError(f"There is no image {image!r} in {RECIPES}.")
    shutil.copytree(RECIPES / image, context, dirs_exist_ok=True)
    if image == "debian":
        write_network_settings(context / "network")
    if image == "vantage":
        shutil.copy(REPOSITORY / "requirements.txt", context)


def write_network_settings(folder: Path) -> None:
    """Give pip inside the lab what makes it work on this machine: its authorities and its index."""
    (folder / "etc/ssl").mkdir(parents=True)
    lines = ["[global]", *pip_settings()]
    bundle = Path(os.environ.get("PIP_CERT", BUNDLE))
    if bundle.exists():
        shutil.copy(bundle, folder / BUNDLE_IN_IMAGES)
        lines.append(f"cert = /{BUNDLE_IN_IMAGES}")
    (folder / "etc/pip.conf").write_text("\n".join(lines) + "\n")


def pip_settings() -> list[str]:
    """Return this machine's own settings for pip, where it has any."""
    listed = attempt([sys.executable, "-m", "pip", "config", "list"]).stdout
    settings = {}
    for line in listed.splitlines():
        name, _equals, value = line.partition("=")
        settings[name.rpartition(".")[2]] = " ".join(shlex.split(value))
    return [f"{name} = {settings[name]}" for name in PIP_SETTINGS if name in settings]


def hash_of(context: Path, base: str) -> str:
    """Return a fingerprint of everything an image is made from."""
    digest = hashlib.sha256(base.encode())
    for path in sorted(path for path in context.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(context)} {path.stat().st_mode}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def image_id(tag: str) -> str:
    return attempt(["docker", "image", "inspect", "--format", "{{.Id}}", tag]).stdout.strip()


def label(tag: str) -> str:
    template = '{{index .Config.Labels "homestead-lab.recipe"}}'
    return attempt(["docker", "image", "inspect", "--format", template, tag]).stdout.strip()


def bootstrap(release: str) -> str:
    """Make the file system of a Debian release; once for a machine."""
    codename = CODENAMES[release]
    tag = f"homestead-lab/bootstrap:{codename}"
    if image_id(tag):
        return tag
    require_root("to make a Debian file system")
    install({"mmdebstrap": "mmdebstrap"})
    with tempfile.TemporaryDirectory(prefix="homestead-lab-") as folder:
        archive = Path(folder) / "system.tar"
        options = ["--variant=minbase", f"--include={PACKAGES}", f"--hook-dir={MERGED_USR}"]
        command = ["mmdebstrap", *options, codename, str(archive), MIRROR]
        run_long(f"make the file system of Debian {release}, about half a minute", command)
        run_long("hand it to the engine", ["docker", "import", "-", tag], source=archive)
    return tag


def remove() -> None:
    """Remove every image of the lab."""
    listed = run(["docker", "image", "ls", "--quiet", "homestead-lab/*"])
    if listed:
        run(["docker", "image", "rm", "--force", *dict.fromkeys(listed.split())])
