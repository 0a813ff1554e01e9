# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vectors of the forms in tests/unit/vectors: read, and judged through the verifier's own code."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.wellknown import (
    Wanted,
    judge,
    url,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    Finding,
    worst,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.resolution import (
    resolve,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import follow
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    SrvTarget,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    JSON_HEADERS,
    NO_CONNECTION,
    FakeTransport,
    Record,
    Reply,
)

Case = Mapping[str, Any]
BASE = {
    "example.com": "192.0.2.1",
    "matrix.example.com": "192.0.2.2",
    "fed.example.net": "192.0.2.3",
    "fed2.example.net": "192.0.2.4",
}
_GENERATED = re.compile(r"<<(?P<size>\d+) bytes of valid JSON: (?P<text>.*)x\.\.\.(?P<end>.*)>>")
_VERDICTS = {"error": "error", "warning": "warning", "unknown": "warning"}


def cases(path: Path) -> list[Case]:
    """Read a file of vectors."""
    found: list[Case] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def resolution_fault(case: Case) -> str:
    """Resolve the server name of a case and say what is not as expected; nothing if all is."""
    transport = FakeTransport(_records(case), _replies(case.get("https")))
    found = asyncio.run(resolve(transport, str(case["server_name"])))
    expected = case["expect"]
    if case.get("https") == "not_requested" and transport.requests:
        return f"{transport.requests[0].url} was requested"
    if "error" in expected:
        fine = found.error and not found.endpoints
        return "" if fine else f"no error, but step {found.step}: {found.endpoints}"
    seen = {
        "step": found.step,
        "connect": [str(endpoint) for endpoint in found.endpoints],
        "host_header": found.host_header,
        "certificate_name": found.certificate_name,
    }
    wished = {key: expected[key] for key in seen if key in expected} | _step(expected)
    differing = {key: seen[key] for key in wished if seen[key] != wished[key]}
    return f"{differing} instead of {wished} {found.error}".strip() if differing else ""


def _step(expected: Case) -> dict[str, str]:
    return {"step": str(expected["step"])} if "step" in expected else {}


def support_findings(case: Case) -> list[Finding]:
    """Serve the body of a case and judge it."""
    address = url("example.org", "support")
    body = str(case["body"]).encode("utf-8", "surrogatepass")
    chain = asyncio.run(follow(FakeTransport(replies={address: Reply(body=body)}), address))
    return judge("support", chain, Wanted())


def support_fault(case: Case) -> str:
    """Say why the verdict on a case is not the expected one; nothing if it is."""
    findings = support_findings(case)
    verdict = _VERDICTS.get(worst(findings), "valid")
    if verdict == case["verdict"]:
        return ""
    reasons = [f"{item.id} {item.verdict}" for item in findings if item.verdict != "ok"]
    return f"{verdict} instead of {case['verdict']}: {reasons}"


def _records(case: Case) -> Iterator[Record]:
    """Yield the records of a case, and the base records it does not override."""
    own = case.get("dns") or []
    yield from map(_record, own)
    taken = {(str(item["name"]).lower(), item["type"]) for item in own}
    for name, value in BASE.items():
        if not {(name, "A"), (name, "CNAME")} & taken:
            yield Record(name, "A", value)


def _record(item: Case) -> Record:
    name, kind = str(item["name"]), str(item["type"])
    if "error" in item:
        return Record(name, kind, error=str(item["error"]))
    if kind == "SRV":
        target = str(item["target"])
        target = target.rstrip(".") or target
        service = SrvTarget(item["priority"], item["weight"], item["port"], target)
        return Record(name, kind, service=service)
    return Record(name, kind, str(item["value"]))


def _replies(https: Any) -> dict[str, Reply]:
    return {} if not isinstance(https, dict) else {key: _reply(https[key]) for key in https}


def _reply(item: Any) -> Reply:
    if not isinstance(item, dict) or "status" not in item:
        return NO_CONNECTION
    headers = list(JSON_HEADERS) + [(key, str(text)) for key, text in _headers(item).items()]
    if "location" in item:
        headers.append(("Location", str(item["location"])))
    return Reply(int(item["status"]), _body(item.get("body", "")), tuple(headers))


def _headers(item: Case) -> dict[str, Any]:
    return dict(item.get("headers") or {})


def _body(text: Any) -> bytes:
    """Return the bytes of a body, made up to size where the vector only describes it."""
    if not isinstance(text, str):
        return json.dumps(text).encode()
    match = _GENERATED.fullmatch(text)
    if match is None:
        return text.encode("utf-8", "surrogatepass")
    filler = int(match["size"]) - len(match["text"]) - len(match["end"])
    return (match["text"] + "x" * filler + match["end"]).encode()
