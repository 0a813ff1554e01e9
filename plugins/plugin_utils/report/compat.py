# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification in the forms of the two public federation testers, for programs that read those.

What was not seen is left out; nothing is made up to fill a form.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.verify.findings import Finding
from ...module_utils.verify.wire.hosts import authority

_AREAS = ("resolution", "federation", "certificate")
_WEEK, _HOUR = 7 * 86400, 3600
Facts = Mapping[str, Any]
Form = dict[str, Any]


def as_compat(server_name: str, findings: Sequence[Finding], peers: Facts) -> dict[str, Any]:
    """Return the form of each tester, or None where the vantage could not know how peers fare."""
    endpoints = peers.get("endpoints", ())
    works = federation_ok(findings)
    if works and not any(_has_keys(endpoint) for endpoint in endpoints):
        return {"matrix_org": None, "connectivity_tester": None}
    return {
        "matrix_org": _matrix_org(peers, works, _first_error(findings)),
        "connectivity_tester": _connectivity_tester(
            server_name, peers, works, _first_error(findings)
        ),
    }


def federation_ok(findings: Sequence[Finding]) -> bool:
    """Whether nothing about server name, federation and certificates was seen as an error.

    What follows from another finding counts, and so does what the operator accepts: peers fail.
    """
    return not _first_error(findings)


def _first_error(findings: Sequence[Finding]) -> str:
    errors = (item.message for item in findings if item.area in _AREAS and item.seen_as == "error")
    return next(errors, "")


def _has_keys(endpoint: Facts) -> bool:
    return not endpoint["keys_fault"]["kind"]


def _failed(fault: Facts) -> bool:
    """Whether it is the server that fails, and not the vantage that has no way there."""
    return fault["kind"] not in ("", "no_route", "private", "unasked", "unable")


def _checks(endpoint: Facts) -> Form:
    """Return what both testers check of an address."""
    each = {
        name: {"ValidEd25519": key["valid"], "MatchingSignature": key["signed"]}
        for name, key in endpoint["key_checks"].items()
    }
    return {
        "MatchingServerName": endpoint["name_matches"],
        "FutureValidUntilTS": endpoint["seconds_valid"] > 0,
        "HasEd25519Key": bool(each),
        "AllEd25519ChecksOK": all(all(check.values()) for check in each.values()),
        "Ed25519Checks": each,
        "ValidCertificates": bool(endpoint["certificates"]) and not endpoint["trust_fault"],
    }


def _verify_keys(endpoint: Facts) -> dict[str, str]:
    return {name: key["key"] for name, key in endpoint["key_checks"].items() if key["signed"]}


# matrix-org/matrix-federation-tester


def _matrix_org(peers: Facts, works: bool, error: str) -> Form:
    """Return what /api/report of federationtester.matrix.org says."""
    endpoints = peers.get("endpoints", ())
    form = {
        "WellKnownResult": _go_well_known(peers.get("well_known")),
        "DNSResult": _go_dns(peers),
        "ConnectionReports": {
            item["address"]: _go_report(item) for item in endpoints if _has_keys(item)
        },
        "ConnectionErrors": {
            item["address"]: {"Message": item["keys_fault"]["message"]}
            for item in endpoints
            if _failed(item["keys_fault"])
        },
        "Version": _go_version(endpoints),
        "FederationOK": works,
    }
    return form if endpoints else {"Error": error, **form}


def _go_well_known(told: Facts | None) -> Form:
    if told is None:
        return {"m.server": "", "result": "Nobody asks for it with this name.", "CacheExpiresAt": 0}
    form: Form = {"m.server": told["m_server"], "CacheExpiresAt": told["cache_expires_at"]}
    return {**form, "result": told["error"]} if told["error"] else form


def _go_dns(peers: Facts) -> Form:
    records = peers.get("srv", ())
    keys = ("target", "port", "priority", "weight")
    return {
        "SRVSkipped": peers.get("srv_skipped", True),
        "SRVCName": f"{records[0]['name']}." if records else "",
        "SRVRecords": [{key.title(): item[key] for key in keys} for item in records] or None,
        "SRVError": None,
        "Hosts": {
            name: {"CName": f"{host['cname']}.", "Addrs": host["addresses"], "Error": None}
            for name, host in peers.get("hosts", {}).items()
        },
        "Addrs": peers.get("addresses", []),
    }


def _go_report(endpoint: Facts) -> Form:
    checks = _checks(endpoint)
    every = [value for name, value in checks.items() if name != "Ed25519Checks"]
    if not checks["HasEd25519Key"]:
        checks["AllEd25519ChecksOK"] = None
    good = all(every)
    fault = endpoint["trust_fault"]
    return {
        "Certificates": [_go_certificate(item) for item in endpoint["certificates"]],
        "Cipher": {"Version": endpoint["tls_version"].replace("v", " ")},
        "Checks": {"AllChecksOK": good, **checks},
        "Errors": [{"Message": fault}] if fault else [],
        "Ed25519VerifyKeys": _verify_keys(endpoint) if good else None,
        "Info": {},
        "Keys": endpoint["keys"] or None,
    }


def _go_certificate(told: Facts) -> Form:
    digest = base64.b64encode(bytes.fromhex(told["sha256"])).decode().rstrip("=")
    return {
        "SubjectCommonName": told.get("subject", ""),
        "IssuerCommonName": told.get("issuer", ""),
        "SHA256Fingerprint": digest,
        "DNSNames": told.get("names") or None,
    }


def _go_version(endpoints: Sequence[Facts]) -> Form:
    """Return the version that the first address tells, or why none does."""
    told = next((item["version"] for item in endpoints if item["version"]), None)
    faults = [item["version_fault"]["message"] for item in endpoints]
    return dict(told) if told else {"error": next(filter(None, faults), "no address to ask")}


# MTRNord/rust-federation-tester


def _connectivity_tester(server_name: str, peers: Facts, works: bool, error: str) -> Form:
    """Return what /api/report of the connectivity tester says."""
    endpoints = peers.get("endpoints", ())
    reports = {item["address"]: _rust_report(item) for item in endpoints if _has_keys(item)}
    errors = {
        item["address"]: _rust_error(item["keys_fault"])
        for item in endpoints
        if _failed(item["keys_fault"])
    }
    version: Facts = next((item["version"] for item in endpoints if item["version"]), {})
    form = {
        "ServerName": server_name,
        "WellKnownResult": _rust_well_known(peers.get("well_known")),
        "DNSResult": _rust_dns(peers),
        **({"ConnectionReports": reports} if reports else {}),
        **({"ConnectionErrors": errors} if errors else {}),
        "Version": _rust_version(version),
        "FederationOK": works,
    }
    return form if works else {**form, "Error": {"Error": error, "ErrorCode": "Unknown"}}


def _https(address: str) -> str:
    return authority(address, 443)


def _rust_well_known(told: Facts | None) -> Form:
    """Return what the address that was asked said."""
    if not told or not told["address"]:
        return {}
    form: Form = {"m.server": told["m_server"], "CacheExpiresAt": told["cache_expires_at"]}
    if told["error"]:
        form["Error"] = {"Error": told["error"], "ErrorCode": "Unknown"}
    return {_https(told["address"]): form}


def _rust_dns(peers: Facts) -> Form:
    hosts = peers.get("hosts", {})
    targets: dict[str, list[Form]] = {}
    for record in peers.get("srv", ()):
        host = hosts.get(record["target"], {"addresses": []})
        entry = {
            "Target": record["target"],
            "SrvPrefix": record["name"].split(".")[0],
            **({"Addrs": host["addresses"]} if host["addresses"] else {}),
            **{key.title(): record[key] for key in ("port", "priority", "weight")},
        }
        targets.setdefault(record["target"], []).append(entry)
    addresses = peers.get("addresses", [])
    return {
        "SRVSkipped": peers.get("srv_skipped", True),
        **({"SrvTargets": targets} if targets else {}),
        **({"Addrs": addresses} if addresses else {}),
    }


def _rust_report(endpoint: Facts) -> Form:
    fault = endpoint["trust_fault"]
    return {
        "Certificates": [_rust_certificate(item) for item in endpoint["certificates"]],
        "Cipher": {"Version": endpoint["tls_version"].replace(".", "_")},
        "Checks": _rust_checks(endpoint),
        **({"Error": {"Error": fault, "ErrorCode": "Unknown"}} if fault else {}),
        "Ed25519VerifyKeys": _verify_keys(endpoint),
        "Keys": endpoint["keys"],
        "Version": _rust_version(endpoint["version"]),
    }


def _rust_checks(endpoint: Facts) -> Form:
    seconds = endpoint["seconds_valid"]
    kinds = {value.split(";")[0].strip().lower() for value in endpoint["content_type"]}
    needed = {
        **_checks(endpoint),
        "ServerVersionParses": len(endpoint["version"]) == len(("name", "version")),
        "KeysContentTypeOK": kinds == {"application/json"},
    }
    good = all(value for name, value in needed.items() if name != "Ed25519Checks")
    return {
        "AllChecksOK": good,
        **needed,
        "ValidUntilTSWithin7Days": seconds <= _WEEK,
        "ValidUntilTSNotExpiringSoon": seconds >= _HOUR,
        "TLSVersionOK": endpoint["tls_version"] in ("TLSv1.2", "TLSv1.3"),
    }


def _rust_certificate(told: Facts) -> Form:
    form = {
        "SubjectCommonName": told.get("subject") or "Unknown",
        "IssuerCommonName": told.get("issuer") or "Unknown",
        "SHA256Fingerprint": told["sha256"].upper(),
    }
    return {**form, "DNSNames": told["names"]} if told.get("names") else form


def _rust_version(told: Facts) -> Form:
    return {"name": told.get("name", ""), "version": told.get("version", "")}


def _rust_error(fault: Facts) -> Form:
    message = fault["message"]
    codes = {"timeout": "Timeout", "status": {"NotOk": message}, "json": {"InvalidJson": message}}
    return {"Error": message, "ErrorCode": codes.get(fault["kind"], "Unknown")}
