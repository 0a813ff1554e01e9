# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three well-known documents: how they are served, hop by hop, and that all copies agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from .. import strict_json
from ..cors import origin_fault, repeats_origin, varies
from ..evidence import excerpt, hops, seen
from ..findings import Check, Finding, shortened
from ..peers.caching import judge_cache
from ..peers.delegation import judge_delegation
from ..redirect_chain import HOPS_LIMIT, OK, Chain, ChainFault, location, refused_by_browsers
from ..wire.transport import Exchange
from .client_keys import judge_client
from .contacts import judge_support

Name = Literal["client", "server", "support"]
NAMES: tuple[Name, ...] = ("client", "server", "support")
ABSENT = 404
_KEY_SHOWN = 50
FORGIVE = "take it all the same"
"""Evidence of an error that concerns other clients only."""
_URIS = "Client-Server API, Well-known URIs"
_CORS = "Client-Server API, Web Browser Clients"


def _check(what: str, reference: str, remedy: str) -> Check:
    return Check("well_known.{part}." + what, "well-known", reference, remedy)


REACH = Check(
    "well_known.reach",
    "well-known",
    _URIS,
    "Let the web server of the base domain listen at this address, "
    "or take the address out of the DNS.",
)
STATUS = _check(
    "status",
    _URIS,
    "Serve /.well-known/matrix/{part} on the base domain with status 200, "
    "or redirect it to the copy on the Matrix host.",
)
REDIRECTS = _check(
    "redirects",
    "Client-Server API, Server Discovery",
    "Redirect /.well-known/matrix/{part} once, straight to its https address on the Matrix host.",
)
JSON = _check("json", "RFC 8259", "Serve one JSON object in UTF-8 and nothing else.")
OBJECT = _check("not_object", _URIS, "Serve a JSON object.")
KEYS_TWICE = _check("duplicate_keys", "RFC 8259 section 4", "Name every key once.")
CONTENT_TYPE = _check(
    "content_type", _URIS, "Serve /.well-known/matrix/{part} as Content-Type: application/json."
)
CORS = _check(
    "cors",
    _CORS,
    "Send exactly one header 'Access-Control-Allow-Origin: *' with /.well-known/matrix/{part}, "
    "on the redirect too, and from one program only.",
)
CORS_ECHO = _check(
    "cors_echo",
    _CORS,
    "Send 'Access-Control-Allow-Origin: *' with /.well-known/matrix/{part} to everybody, "
    "or at least 'Vary: Origin' beside the repeated origin.",
)
EXPECTED = _check("expected", _URIS, "Publish the document that the plan shows.")
HOST = _check("host", _URIS, "Serve the same document on the Matrix host and on the base domain.")

_CHAIN_FAULTS: Mapping[ChainFault, str] = {
    "loop": "The redirects lead back to an address already visited.",
    "downgrade": "A redirect leaves https.",
    "count": f"There are more than {HOPS_LIMIT} redirects.",
    "location": "A redirect does not say where to (Location missing, doubled or not a URL).",
}
_MEANINGS: Mapping[Name, Callable[[dict[str, Any]], list[Finding]]] = {
    "client": judge_client,
    "server": judge_delegation,
    "support": judge_support,
}


@dataclass(frozen=True)
class Wanted:
    """What is known about a document beforehand: its value, or that there shall be none."""

    planned: bool = False
    value: Any = None

    @classmethod
    def of(cls, planned: Mapping[str, Any], name: Name) -> Wanted:
        """Read the planned documents; one that says nothing is not published."""
        return cls(planned=bool(planned), value=planned.get(name) or None)


def url(host: str, name: Name) -> str:
    """Return the address of a document on a host."""
    return f"https://{host}/.well-known/matrix/{name}"


def judge(name: Name, chain: Chain, wanted: Wanted) -> list[Finding]:
    """Judge one document as the base domain serves it."""
    findings = [*_redirects(name, chain), *_serving(name, chain)]
    if not chain.answered:
        return [*_status(name, chain, wanted), *findings]
    ok = STATUS.of(name).ok(
        f"/.well-known/matrix/{name} answers with a document.", hops=hops(chain)
    )
    cache = [judge_cache(chain.last)] if name == "server" else []
    return [ok, *findings, *cache, *_content(name, chain, wanted)]


def judge_copy(name: Name, chain: Chain, host: Chain, wanted: Wanted) -> list[Finding]:
    """Compare the copy on the Matrix host with the one on the base domain."""
    faults = [item for item in _serving(name, host) if item.verdict != "ok"]
    return [_compared(name, chain, host, wanted), *faults]


def _compared(name: Name, chain: Chain, host: Chain, wanted: Wanted) -> Finding:
    check = HOST.of(name)
    ours, theirs = value_of(host), value_of(chain)
    where = urlsplit(host.last.request.url).hostname
    if host.last.no_route or chain.last.no_route:
        return check.unknown(f"Whether {where} serves the same document cannot be told from here.")
    if ours is None:
        absent = wanted.value is None
        note = check.info if absent else check.error
        return note(f"{where} has no document of its own.", hops=hops(host))
    if theirs is None:
        message = f"The document is on {where}, but not on the base domain, where it is looked for."
        note = check.error if _is_merely_absent(name, chain, wanted) else check.info
        return note(message, hops=hops(host))
    if not says(theirs, ours):
        message = f"{where} serves another document than the base domain."
        return check.warning(message, host=excerpt(host.last.body), base=excerpt(chain.last.body))
    if more := _more(theirs, ours):
        return check.info(f"The base domain says more than {where}: {more}.")
    return check.ok(f"{where} serves the same document.")


def _serving(name: Name, chain: Chain) -> Iterator[Finding]:
    """Judge the headers around a document, on every hop."""
    yield from _cors(name, chain)
    if chain.answered:
        yield from _content_type(name, chain)


def _is_merely_absent(name: Name, chain: Chain, wanted: Wanted) -> bool:
    """Whether no other finding calls the missing document an error."""
    return name != "server" and wanted.value is None and chain.last.status == ABSENT


def value_of(chain: Chain | None) -> dict[str, Any] | None:
    """Return the object that a chain ends in, if it does."""
    if chain is None or not chain.answered:
        return None
    try:
        value = strict_json.loads(chain.last.body).value
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _status(name: Name, chain: Chain, wanted: Wanted) -> Iterator[Finding]:
    """Say why there is no document, unless the redirects are to blame."""
    check, last = STATUS.of(name), chain.last
    if chain.fault:
        return
    if last.no_route:
        message = (
            f"Whether there is a document cannot be told from here: {last.request.url} fails: "
        )
        yield check.unknown(f"{message}{last.error}.", hops=hops(chain))
        return
    reason = f"fails: {last.error}" if last.error else f"answers with status {last.status}"
    absent = last.status == ABSENT and not last.error
    optional = wanted.planned or name == "server"
    if wanted.value is not None or (not absent and name != "server"):
        message = f"There is no document: {last.request.url} {reason}.{_action(name, chain)}"
        yield check.error(message, hops=hops(chain))
    else:
        note = check.info if absent and optional else check.warning
        message = f"The document is not published: {last.request.url} {reason}."
        message += _action(name, chain)
        yield note(message, hops=hops(chain))


def _action(name: Name, chain: Chain) -> str:
    """Say what clients do without their document (client-server API, Server Discovery)."""
    if name != "client" or chain.last.error:
        return ""
    if chain.last.status == ABSENT:
        return " Clients look for the server by other means (IGNORE)."
    return " Clients give up and ask the user (FAIL_PROMPT)."


def _redirects(name: Name, chain: Chain) -> Iterator[Finding]:
    check, count = REDIRECTS.of(name), len(chain.hops) - 1
    if chain.fault:
        yield check.error(_CHAIN_FAULTS[chain.fault], hops=hops(chain))
    elif refused := _refused(name, chain):
        yield check.error(refused, hops=hops(chain))
    elif count > 1:
        yield check.warning(f"There are {count} redirects one after the other.", hops=hops(chain))
    elif count == 1:
        yield check.ok(f"One redirect leads to {location(chain.hops[0])}.")


def _refused(name: Name, chain: Chain) -> str:
    """Say which redirect browsers do not follow; peers, who read `server`, follow them all."""
    targets = [] if name == "server" else [hop.request.url for hop in chain.hops[1:]]
    for url in targets:
        if fault := refused_by_browsers(url):
            return f"Browsers do not follow the redirect to {url}: {fault}."
    return ""


def _cors(name: Name, chain: Chain) -> Iterator[Finding]:
    """Judge each hop's raw header lines; peers, who read `server`, need none."""
    if name == "server":
        return
    check = CORS.of(name)
    answers = [hop for hop in chain.hops if hop.status == OK or location(hop)]
    note = check.warning if name == "support" else check.error
    for hop in answers:
        if fault := origin_fault(hop):
            yield note(f"Browsers may not read {hop.request.url}: {fault}.", hop=seen(hop))
    if answers and not any(origin_fault(hop) for hop in answers):
        yield check.ok("Browsers may read every hop.")
    yield from _echo(name, answers)


def _echo(name: Name, answers: list[Exchange]) -> Iterator[Finding]:
    """Advise against naming whoever asks: browsers take it, yet caches mix up what they keep."""
    check = CORS_ECHO.of(name)
    for hop in filter(repeats_origin, answers):
        note = check.info if varies(hop) else check.warning
        danger = "" if varies(hop) else ", and caches may hand the answer for one site to another"
        message = f"{hop.request.url} allows the origin that asks instead of '*'{danger}."
        yield note(message, hop=seen(hop))


def _content_type(name: Name, chain: Chain) -> Iterator[Finding]:
    check, lines = CONTENT_TYPE.of(name), chain.last.header("Content-Type")
    kinds = {line.split(";")[0].strip().lower() for line in lines}
    if kinds == {"application/json"}:
        yield check.ok("The document is served as application/json.")
    else:
        stated = ", ".join(lines)[:200] or "nothing"
        message = f"{chain.last.request.url} has Content-Type {stated} instead of application/json."
        yield check.warning(message)


def _content(name: Name, chain: Chain, wanted: Wanted) -> Iterator[Finding]:
    body = chain.last.body
    try:
        document = strict_json.loads(body)
    except ValueError as error:
        forgiven = {"browsers": FORGIVE} if _is_forgiven(body) else {}
        message = f"The document is not JSON: {error}.{_action(name, chain)}"
        yield JSON.of(name).error(message, excerpt=excerpt(body), **forgiven)
        return
    if not isinstance(document.value, dict):
        message = f"The document is not a JSON object.{_action(name, chain)}"
        yield OBJECT.of(name).error(message, excerpt=excerpt(body))
        return
    if document.duplicates:
        keys = list(document.duplicates[:10])
        yield KEYS_TWICE.of(name).warning(f"The document names keys twice: {keys}.")
    yield from _MEANINGS[name](document.value)
    yield from _expected(name, document.value, wanted)


def _is_forgiven(body: bytes) -> bool:
    """Whether browsers get an object out of this: they mend the encoding (Encoding standard)."""
    try:
        value = strict_json.loads(body.decode("utf-8-sig", "replace").encode()).value
    except ValueError:
        return False
    return isinstance(value, dict)


def _expected(name: Name, value: dict[str, Any], wanted: Wanted) -> Iterator[Finding]:
    check = EXPECTED.of(name)
    if wanted.value is None:
        return
    if not says(value, wanted.value):
        yield check.error(
            "The document is not the planned one.", published=value, planned=wanted.value
        )
    elif more := _more(value, wanted.value):
        yield check.info(f"The document says all that is planned, and more: {more}.")
    else:
        yield check.ok("The document is the planned one.")


def says(value: Any, planned: Any, key: str = "") -> bool:
    """Whether a value means all that is planned; it may say more."""
    if isinstance(planned, dict):
        return isinstance(value, dict) and all(
            name in value and says(value[name], planned[name], name) for name in planned
        )
    if key == "base_url" and isinstance(value, str):
        return value.rstrip("/") == str(planned).rstrip("/")
    return bool(value == planned)


def _more(value: Mapping[str, Any], planned: Mapping[str, Any]) -> str:
    """Name the keys that only one of two documents has."""
    return ", ".join(shortened(key, _KEY_SHOWN) for key in sorted(set(value) - set(planned)))
