# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.service`, and how they become a `Service`."""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from collections.abc import Iterator
from typing import Any

from .keys import IN_PEM, PROGRAM
from .machine import Places
from .model import (
    Account,
    Command,
    Data,
    Directory,
    Download,
    File,
    Health,
    Ownership,
    Reaction,
    Secret,
    Service,
    ServiceError,
    Validation,
    WatchedPath,
)
from .programs import (
    check_program,
    commands_of,
    database_commands,
    download_of,
    draft_of,
    files_of,
    requirements_path,
)
from .secrets import NAME, PLACEHOLDER

MODE = re.compile(r"0?[0-7]{3,4}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*")  # Debian Policy, section 5.6.1

_WORDS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_REACTION: dict[str, Any] = {"type": "raw", "default": "restart"}
_PATH: dict[str, Any] = {"type": "path", "required": True}
_OWNERSHIP: dict[str, Any] = {
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str"},
}
_FILE: dict[str, Any] = {
    "path": _PATH,
    **_OWNERSHIP,
    "template": {"type": "str"},
    "content": {"type": "str"},
    "document": {"type": "raw"},
    "copy": {"type": "str"},
    "link": {"type": "str"},
    "format": {"type": "str", "choices": ["json", "yaml"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "secret": {"type": "bool", "default": False, "no_log": False},
    "after_commands": {"type": "bool", "default": False},
    "on_change": _REACTION,
}
_COMMAND: dict[str, Any] = {
    "argv": {"type": "list", "elements": "str", "required": True},
    "creates": {"type": "path"},
    "unless": _WORDS,
    "inputs": {"type": "list", "elements": "path", "default": []},
    "rerun": {"type": "bool", "default": False},
    "user": {"type": "str"},
    "environment": {"type": "dict", "default": {}},
    "timeout": {"type": "float", "default": 1800},
    "at_rest": {"type": "bool", "default": False},
    "on_change": _REACTION,
}
_HEALTH: dict[str, Any] = {
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "address": {"type": "str", "default": "127.0.0.1"},
    "name": {"type": "str"},
    "url": {"type": "str"},
    "status": {"type": "int", "default": 200},
    "token": {"type": "str", "no_log": False},
    "socket": {"type": "path"},
    "argv": {"type": "list", "elements": "str"},
    "timeout": {"type": "float", "default": 30},
}
DNS_PORT = 53
_LENGTHS = {
    "text": (64, 16),
    "wireguard": (32, 32),
    "pem": (2048, 2048),
    "dkim": (2048, 2048),
}
"""How long a secret of each kind is unless told (characters, bytes, bits of RSA), and at least."""
_SHARED = ("/etc/systemd", "/usr/local", "/var/lib", "/var/log", "/var/spool", "/var/lib/homestead")
"""Directories of all, below which each service has its own data."""
_HEALTH_KINDS = ["port", "name", "url", "socket", "argv"]
_ACCOUNT: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "home": {"type": "path"},
    "groups": _WORDS,
}
_CHECK: dict[str, Any] = {
    "argv": {"type": "list", "elements": "str", "required": True},
    "user": {"type": "str"},
}


_PROGRAM: dict[str, Any] = {
    "path": _PATH,
    "version": {"type": "str", "required": True},
    "requirements": {"type": "str"},
    "url": {"type": "str"},
    "file": {"type": "str"},
    "sha256": {"type": "str"},
    "unpack": {"type": "bool", "default": False},
    "strip": {"type": "int", "default": 0},
    "on_change": _REACTION,
}
_DEBCONF: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "question": {"type": "str", "required": True},
    "vtype": {"type": "str", "default": "string"},
    "value": {"type": "str", "required": True},
}
_PROGRAM_KINDS = ["requirements", "url", "file"]
_DATABASE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
    "version": {"type": "int", "required": True},
    "port": {"type": "int", "default": 5432},
    "locale": {"type": "str", "default": "C"},
}


def _list_of(options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options, **more}


ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "replaces": _WORDS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "packages": _WORDS,
    "debconf": _list_of(_DEBCONF),
    "account": {"type": "dict", "options": _ACCOUNT},
    "groups": _WORDS,
    "secrets": {"type": "dict", "default": {}, "no_log": False},
    "directories": _list_of({"path": _PATH, **_OWNERSHIP}),
    "files": _list_of(
        _FILE, mutually_exclusive=[["template", "content", "document", "copy", "link"]]
    ),
    "contents": {"type": "str", "no_log": True},
    "programs": _list_of(
        _PROGRAM, mutually_exclusive=[_PROGRAM_KINDS], required_one_of=[_PROGRAM_KINDS]
    ),
    "databases": _list_of(_DATABASE),
    "commands": _list_of(_COMMAND),
    "watch": _list_of({"path": _PATH, "on_change": _REACTION}),
    "validate": _list_of(_CHECK),
    "units": _WORDS,
    "lets_go": _WORDS,
    "instead_of": _WORDS,
    "data": {"type": "list", "elements": "path", "default": []},
    "retired_data": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
    "healthy": _list_of(
        _HEALTH, mutually_exclusive=[_HEALTH_KINDS], required_one_of=[_HEALTH_KINDS]
    ),
}


def pack(contents: dict[str, bytes]) -> str:
    """Return the content of all files as one compressed line of text."""
    texts = {path: data.decode("utf-8", "surrogateescape") for path, data in contents.items()}
    return base64.b64encode(zlib.compress(json.dumps(texts).encode())).decode()


def given_key(name: str) -> str:
    """Return the name under which the value of a given secret travels among the contents."""
    return f"secret {name}"


def unpack(packed: str | None) -> dict[str, bytes]:
    if not packed:
        return {}
    texts = json.loads(zlib.decompress(base64.b64decode(packed)))
    return {path: text.encode("utf-8", "surrogateescape") for path, text in texts.items()}


def parse(params: dict[str, Any], places: Places | None = None) -> Service:
    """Return the service these module parameters describe, or raise one clear sentence."""
    units, present = _units(params["units"]), params["state"] == "present"
    contents = unpack(params["contents"])
    programs = [_program(entry) for entry in params["programs"]]
    folder = (places or Places()).downloads
    downloads = [download_of(entry, folder) for entry in programs]
    secrets = tuple(
        _secret(name, entry, contents) for name, entry in sorted(params["secrets"].items())
    )
    service = Service(
        name=_name(params["name"]),
        replaces=tuple(_name(name) for name in params["replaces"]),
        present=present,
        packages=_packages(params["packages"], programs, secrets),
        debconf=tuple(params["debconf"]),
        account=_account(params["account"]),
        groups=tuple(params["groups"]),
        secrets=secrets,
        directories=tuple(_directory(entry) for entry in params["directories"]),
        files=(
            *_program_files(programs, contents, units, present),
            *(_file(entry, contents, units, present) for entry in params["files"]),
        ),
        downloads=tuple(filter(None, downloads)),
        drafts=tuple(map(draft_of, programs)),
        commands=(
            *_program_commands(programs, downloads, units),
            *_database_commands(params["databases"], units),
            *(_command(entry, units) for entry in params["commands"]),
        ),
        watch=tuple(
            WatchedPath(_absolute(e["path"]), _reaction(e, units)) for e in params["watch"]
        ),
        checks=tuple(Validation(_argv(e["argv"]), e["user"]) for e in params["validate"]),
        units=units,
        lets_go=_units(params["lets_go"]),
        health=tuple(_health(entry) for entry in params["healthy"]),
        instead_of=_units(params["instead_of"]),
        data=Data(
            paths=tuple(_data_path(path) for path in params["data"]),
            databases=tuple((e["name"], e["owner"], e["port"]) for e in params["databases"]),
            secrets=tuple(secret.name for secret in secrets),
        ),
        removes_data=params["retired_data"] == "remove",
    )
    return _each_path_once(service)


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ServiceError(f"name {name!r} must be small letters, digits, '.', '_' and '-'")
    return name


def _packages(
    names: list[str], programs: list[dict[str, Any]], secrets: tuple[Secret, ...]
) -> tuple[str, ...]:
    """Return the packages, with what makes a venv or keys if there are some to be made."""
    has_venv = any(entry["requirements"] is not None for entry in programs)
    has_keys = any(secret.kind != "text" for secret in secrets)
    makers = (["python3-pip"] if has_venv else []) + ([PROGRAM] if has_keys else [])
    return tuple(sorted({*map(_package, names), *makers}))


def _package(name: str) -> str:
    """Return a package's name; dpkg does not report it back with a version or an architecture."""
    if not PACKAGE.fullmatch(name):
        raise ServiceError(f"package {name!r} must be a plain name, such as nginx")
    return name


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ServiceError(f"path {path!r} must be absolute")
    return os.path.normpath(path)


def _data_path(path: str) -> str:
    """Return a path that one service can have for itself."""
    wished = _absolute(path)
    if wished.count("/") < 2 or wished in _SHARED:
        raise ServiceError(
            f"data {path!r} belongs to more than one service; name a directory below it"
        )
    return wished


def _each_path_once(service: Service) -> Service:
    seen: set[str] = set()
    for path in [*(d.path for d in service.directories), *(f.path for f in service.files)]:
        if path in seen:
            raise ServiceError(f"{path} is listed twice")
        seen.add(path)
    return service


def _ownership(entry: dict[str, Any], default: str) -> Ownership:
    mode = entry["mode"] or default
    if not MODE.fullmatch(mode):
        raise ServiceError(f"{entry['path']}: mode {mode!r} must be octal digits such as '0640'")
    return Ownership(entry["owner"], entry["group"], int(mode, 8))


def _directory(entry: dict[str, Any]) -> Directory:
    return Directory(_absolute(entry["path"]), _ownership(entry, "0755"))


def _file(
    entry: dict[str, Any], contents: dict[str, bytes], units: tuple[str, ...], present: bool
) -> File:
    path = _absolute(entry["path"])
    content = contents.get(path)
    present = present and entry["state"] == "present"
    if present and content is None and entry["link"] is None:
        raise ServiceError(f"{path} needs one of template, content, document, copy or link")
    secret = entry["secret"] or bool(content and PLACEHOLDER.search(content))
    return File(
        path=path,
        content=content if present else None,
        link=entry["link"] if present else None,
        ownership=_ownership(entry, "0600" if secret else "0644"),
        secret=entry["secret"],
        reaction=_reaction(entry, units),
        late=entry["after_commands"],
    )


def _program(entry: dict[str, Any]) -> dict[str, Any]:
    program = {**entry, "path": _absolute(entry["path"])}
    check_program(program)
    return program


def _program_files(
    programs: list[dict[str, Any]],
    contents: dict[str, bytes],
    units: tuple[str, ...],
    present: bool,
) -> Iterator[File]:
    for entry in programs if present else ():
        content = contents.get(requirements_path(entry))
        yield from files_of(entry, content, _reaction(entry, units))


def _program_commands(
    programs: list[dict[str, Any]], downloads: list[Download | None], units: tuple[str, ...]
) -> Iterator[Command]:
    for entry, download in zip(programs, downloads):
        yield from commands_of(entry, download, _reaction(entry, units))


def _database_commands(
    databases: list[dict[str, Any]], units: tuple[str, ...]
) -> Iterator[Command]:
    for entry in databases:
        yield from database_commands(entry, Reaction(units))


def _reaction(entry: dict[str, Any], units: tuple[str, ...]) -> Reaction:
    """Return who reacts; a bare word means all units of the service."""
    wish = entry["on_change"]
    if isinstance(wish, dict) and set(wish) <= {"restart", "reload"}:
        lists = {key: _names(names, wish) for key, names in wish.items()}
        return Reaction(_units(lists.get("restart", [])), _units(lists.get("reload", [])))
    table = {"restart": Reaction(units), "reload": Reaction((), units), "none": Reaction()}
    if not isinstance(wish, str) or wish not in table:
        raise _no_reaction(wish)
    return table[wish]


def _names(names: object, wish: object) -> list[str]:
    """Return a list of units, also if only one is named."""
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise _no_reaction(wish)
    return listed


def _no_reaction(wish: object) -> ServiceError:
    return ServiceError(f"on_change {wish!r} must be restart, reload, none or lists of units")


def _units(names: list[str]) -> tuple[str, ...]:
    return tuple(name if "." in name else f"{name}.service" for name in names)


def _argv(argv: list[str]) -> tuple[str, ...]:
    if any(PLACEHOLDER.search(word.encode()) for word in argv):
        raise ServiceError(f"{argv[0]}: a secret must not stand on a command line")
    return tuple(argv)


def _command(entry: dict[str, Any], units: tuple[str, ...]) -> Command:
    return Command(
        argv=_argv(entry["argv"]),
        creates=entry["creates"],
        unless=_argv(entry["unless"]),
        inputs=tuple(entry["inputs"]),
        rerun=entry["rerun"],
        user=entry["user"],
        environment=tuple(sorted((k, str(v)) for k, v in entry["environment"].items())),
        timeout=entry["timeout"],
        reaction=_reaction(entry, units),
        at_rest=entry["at_rest"],
    )


def _secret(name: str, entry: dict[str, Any] | None, contents: dict[str, bytes]) -> Secret:
    form = "has a length, a generation, a kind, or is given"
    if not isinstance(entry, dict) and entry is not None:
        raise ServiceError(f"secret {name!r} {form}; it is not {entry!r}")
    wish = {"generation": 1, "given": False, "kind": "text", **(entry or {})}
    if unknown := sorted(set(wish) - {"length", "generation", "given", "kind"}):
        raise ServiceError(f"secret {name!r} {form}; it has no {', '.join(unknown)}")
    if wish["kind"] not in _LENGTHS:
        kinds = ", ".join(_LENGTHS)
        raise ServiceError(
            f"secret {name!r} cannot be {wish['kind']!r}; its kind is one of {kinds}"
        )
    usual, least = _LENGTHS[wish["kind"]]
    length = int(wish.get("length", usual))
    if not NAME.fullmatch(name) or length < least:
        raise ServiceError(f"secret {name!r} needs a plain name and a length of at least {least}")
    value = contents.get(given_key(name), b"").decode("utf-8", "replace")
    if wish["kind"] in IN_PEM:
        value = value.strip()
    elif value != value.strip() or len(value.splitlines()) > 1:
        raise ServiceError(f"secret {name!r} must be one line without spaces around it")
    return Secret(
        name, length, int(wish["generation"]), wish["kind"], given=bool(wish["given"]), value=value
    )


def _account(entry: dict[str, Any] | None) -> Account | None:
    if entry is None:
        return None
    return Account(entry["name"], entry["home"], tuple(entry["groups"]))


def _health(entry: dict[str, Any]) -> Health:
    timeout, port = entry["timeout"], entry["port"]
    if port is not None:
        return Health(entry["protocol"], entry["address"], port, timeout=timeout)
    if entry["name"] is not None:
        return Health("dns", entry["address"], DNS_PORT, timeout=timeout, name=entry["name"])
    if entry["url"] is not None:
        token = entry["token"] or ""
        return Health("url", entry["url"], status=entry["status"], timeout=timeout, token=token)
    if entry["argv"] is not None:
        return Health("command", timeout=timeout, argv=_argv(entry["argv"]))
    return Health("socket", entry["socket"], timeout=timeout)
