# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's commands."""

from __future__ import annotations

import argparse
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from homestead_lab import engine, hosts, images, inventory, lab, services, topology
from homestead_lab.lab import CACHE, REPOSITORY, Lab
from homestead_lab.shell import LabError, complain, say, step, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homestead_lab.topology import Host, Subnet

ENGINE_STATE = CACHE / "engine"
TOPOLOGY = REPOSITORY / "tests/lab/topology.toml"
NEED_AUTHORITY = {"base", "browser", "mail", "peer"}


def up(options: argparse.Namespace) -> int:
    """Start what is missing of the lab."""
    this = Lab(options.name)
    with lab.alone():
        engine.install({"ssh-keygen": "openssh-client"})
        engine.ensure(ENGINE_STATE)
        wanted = choose(this, options)
        images.ensure([host.image_tag for host in wanted.values()])
        if not is_sound(this, wanted):
            with step("remove what is left of the lab"):
                lab.remove(this)
        lab.prepare(this)
        subnet = lab.network(this)
    start_missing(this, wanted, subnet=subnet)
    folder = inventory.write(this, wanted, subnet=subnet)
    say(f"{this.name} is up; its inventory is {os.path.relpath(folder)}")
    return 0


def make_images(options: argparse.Namespace) -> int:
    """Make the images of these kinds of hosts, or of all, so that no lab has to wait for them."""
    with lab.alone():
        engine.ensure(ENGINE_STATE)
        images.ensure(images.known(options.kind))
    return 0


def choose(this: Lab, options: argparse.Namespace) -> dict[str, Host]:
    """Return the hosts that are to run: those asked for and those that run already."""
    known = topology.load(options.topology, release=options.release)
    running = hosts.running(this)
    asked = options.only or list(known)
    if any(name in known and known[name].image in NEED_AUTHORITY for name in asked):
        asked = ["ns", *asked]
    chosen = {name: known[name] for name in known if name in asked}
    for name in asked:
        if name not in known:
            taken = {host.number for host in [*known.values(), *chosen.values()]}
            taken |= {host.number for other, host in running.items() if other != name}
            chosen[name] = topology.bare(name, taken=taken, release=options.release)
    return {**chosen, **{name: host for name, host in running.items() if name not in chosen}}


def is_sound(this: Lab, wanted: dict[str, Host]) -> bool:
    """Say whether hosts can be added: none has stopped, and names and authority come first."""
    running = hosts.running(this)
    stopped = set(hosts.recorded(this)) - set(running)
    return not stopped and not ("ns" in wanted and running and "ns" not in running)


def start_missing(this: Lab, wanted: dict[str, Host], *, subnet: Subnet) -> None:
    """Start the hosts that do not run yet, side by side; who gives names and certificates first."""
    running = hosts.running(this)
    missing = [host for host in wanted.values() if running.get(host.name) != host]
    first = [host for host in missing if host.image == "ns"]
    start_one = partial(start, this, wanted, subnet=subnet)
    with ThreadPoolExecutor() as pool:
        for group in (first, [host for host in missing if host not in first]):
            for host, seconds in zip(group, pool.map(start_one, group), strict=True):
                hosts.remember(this, host)
                image = host.image_tag.removeprefix("homestead-lab/")
                say(f"start {host.name} ({image}) ... {seconds:.1f} s")


def start(this: Lab, wanted: dict[str, Host], host: Host, *, subnet: Subnet) -> float:
    """Start a host and make it what it is to be; return after how many seconds it was."""
    began = time.monotonic()
    asks = subnet.addresses(wanted["ns"])[0] if "ns" in wanted and host.image != "ns" else ""
    hosts.start(this, host, subnet=subnet, nameserver=asks)
    services.configure(this, host, subnet=subnet, hosts=wanted)
    return time.monotonic() - began


def down(options: argparse.Namespace) -> int:
    """Remove the lab; on request also its images and the engine that it started."""
    if engine.answers():
        with step(f"remove the lab {options.name}"):
            lab.remove(Lab(options.name))
        if options.images:
            with step("remove the lab's images"):
                images.remove()
    if options.engine:
        engine.stop(ENGINE_STATE)
    return 0


def status(options: argparse.Namespace) -> int:
    """Show the lab's hosts; succeed if there is one and all run."""
    this = Lab(options.name)
    if not engine.answers():
        raise LabError("No docker engine answers, so no lab runs.")
    subnet = lab.existing_network(this)
    recorded = hosts.recorded(this) if subnet else {}
    if not subnet or not recorded:
        raise LabError(f"There is no lab {this.name}.")
    running = hosts.running(this)
    for host in recorded.values():
        state = "running" if host.name in running else "stopped"
        addresses = "  ".join(f"{address:<16}" for address in subnet.addresses(host))
        say(f"{host.name:<14} {state}  {addresses} {' '.join(host.names)}".rstrip())
    return 0 if len(running) == len(recorded) else 1


def show_inventory(options: argparse.Namespace) -> int:
    """Print where the inventory is."""
    folder = Lab(options.name).state / "inventory"
    if not folder.is_dir():
        raise LabError(f"There is no lab {options.name}.")
    write(f"{folder}\n")
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a command as root on a host, past its firewall."""
    command = ["docker", "exec", "--interactive", Lab(options.name).container(options.host)]
    os.execvp("docker", [*command, *options.command])


def lab_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", text) or text == "engine":
        raise argparse.ArgumentTypeError("a lab's name is lower-case letters, digits and hyphens")
    return text


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    main_parser = argparse.ArgumentParser(prog="lab", description="A small internet of containers.")
    commands = main_parser.add_subparsers(required=True)
    for function in (up, down, status, show_inventory, run, make_images):
        name = function.__name__.removeprefix("show_").removeprefix("make_")
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        command.add_argument("--name", type=lab_name, default="homestead", help="the lab's name")
        command.set_defaults(function=function)
        add_options(command, name)
    return main_parser


def add_options(command: argparse.ArgumentParser, name: str) -> None:
    if name == "up":
        command.add_argument("--release", choices=images.CODENAMES, default="13", help="of Debian")
        command.add_argument(
            "--topology", type=Path, default=TOPOLOGY, help="the hosts' description"
        )
        command.add_argument(
            "--only",
            action="append",
            metavar="HOST",
            help="just this host; a new name is a bare one",
        )
    if name == "down":
        command.add_argument("--images", action="store_true", help="remove the images, too")
        command.add_argument(
            "--engine", action="store_true", help="stop an engine that `up` started"
        )
    if name == "images":
        command.add_argument("kind", nargs="*", help="all if none")
    if name == "run":
        command.add_argument("host")
        command.add_argument("command", nargs=argparse.REMAINDER)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    options = parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except (LabError, ValueError) as error:
        return complain(error)
