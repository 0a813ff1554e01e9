# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may register, told from the flows alone: no account is ever made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Literal

from ..answers import object_of
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK, ORIGIN
from ..strict_json import text_at
from ..wire.transport import Exchange, Request, Transport

Mode = Literal["closed", "token", "token_or_email", "captcha", "email", "open", "unknown"]
_REFERENCE = "Client-Server API, POST /_matrix/client/v3/register"
MODE = Check(
    "registration.mode",
    "registration",
    _REFERENCE,
    "Set matrix_registration to what you want and run the site playbook; "
    "if they already agree, look for settings in synapse_settings that override it.",
)
UNGUARDED = Check(
    "registration.unguarded",
    "registration",
    _REFERENCE,
    "Stop the homeserver's registration at once: it makes accounts without any step.",
)
LOGIN = Check(
    "registration.login",
    "registration",
    "Client-Server API, GET /_matrix/client/v3/login",
    "Pass /_matrix/client on to the homeserver.",
)
_TOKEN, _CAPTCHA = "m.login.registration_token", "m.login.recaptcha"
_ADDRESSES = frozenset({"m.login.email.identity", "m.login.msisdn"})
_FREE = frozenset({"m.login.dummy", "m.login.terms"})
_EXPECTED: dict[str, frozenset[Mode]] = {
    "closed": frozenset({"closed"}),
    "invite": frozenset({"token"}),
    "email": frozenset({"email", "token_or_email"}),
    "open": frozenset({"open", "captcha"}),
}
_SENTENCES: dict[Mode, str] = {
    "closed": "Nobody can register.",
    "token": "Only somebody with an invite token can register.",
    "token_or_email": "With an invite token or a verified address anybody can register.",
    "captcha": "Anybody who solves a captcha can register.",
    "email": "Anybody with a verified address can register.",
    "open": "Anybody can register without being asked for anything.",
    "unknown": "Who may register cannot be told from outside.",
}


@dataclass(frozen=True)
class SeenMode:
    """The mode, the flows it was told from, and why it is unknown if it is."""

    mode: Mode
    flows: tuple[tuple[str, ...], ...] = ()
    reason: str = ""


async def check_registration(
    transport: Transport, base_url: str, expected: str, asked: Awaitable[Exchange]
) -> list[Finding]:
    """Ask for the flows without answering any; `asked` is whether there is OAuth 2.0."""
    client = f"{base_url}/_matrix/client"
    register, login, metadata = await asyncio.gather(
        transport.request(_register(f"{client}/v3/register")),
        transport.request(Request(url=f"{client}/v3/login", headers=(ORIGIN,))),
        asked,
    )
    found = classify(register, sign_up=_sign_up(metadata))
    return [*judge_mode(found, expected, register), *_login(login)]


def _register(url: str) -> Request:
    """Build the one safe question: no user name, no step, and no token if all goes wrong."""
    headers = (ORIGIN, ("Content-Type", "application/json"))
    return Request(url=url, method="POST", headers=headers, body=b'{"inhibit_login": true}')


def classify(register: Exchange, *, sign_up: bool | None) -> SeenMode:
    """Tell the mode from the answer; `sign_up` is whether OAuth 2.0 offers it (None: no OAuth)."""
    value = object_of(register)
    if not register.whole:
        return SeenMode("unknown", reason=str(register.error))
    if register.status == 401 and "flows" in value:
        return _from_flows(value["flows"])
    if register.status == 403 and value.get("errcode") == "M_FORBIDDEN":
        if sign_up is None:
            return SeenMode("closed")
        return SeenMode("unknown" if sign_up else "closed", reason="sign-up goes through OAuth 2.0")
    if register.status == 429:
        return SeenMode("unknown", reason="the server asks to wait (429)")
    return SeenMode("unknown", reason=f"the server answers with status {register.status}")


def _from_flows(value: Any) -> SeenMode:
    flows = _flows(value)
    if not flows:
        return SeenMode("unknown", reason="the server names no flow")
    return SeenMode(mode_of([frozenset(flow) for flow in flows]), flows)


def _flows(value: Any) -> tuple[tuple[str, ...], ...]:
    """Return the stages of each flow; nothing if they are not what the specification says."""
    items = value if isinstance(value, list) else []
    stages = [item.get("stages") if isinstance(item, dict) else None for item in items]
    if not all(isinstance(names, list) for names in stages):
        return ()
    flows = tuple(tuple(names) for names in stages if names is not None)
    return flows if all(isinstance(name, str) for flow in flows for name in flow) else ()


def mode_of(flows: list[frozenset[str]]) -> Mode:
    """Classify flows, the easiest way in first."""
    others = [flow for flow in flows if _TOKEN not in flow]
    if any(flow <= _FREE for flow in flows):
        return "open"
    if not others:
        return "token"
    if all(flow & _ADDRESSES for flow in others):
        return "email" if len(others) == len(flows) else "token_or_email"
    return "captcha" if all(_CAPTCHA in flow for flow in others) else "unknown"


def judge_mode(found: SeenMode, expected: str, register: Exchange) -> list[Finding]:
    """Compare the mode with the expected one, if there is one."""
    evidence = {"mode": found.mode, "flows": [list(flow) for flow in found.flows[:20]]}
    if register.status == OK:
        message = "The server made an account without asking for any step."
        return [UNGUARDED.error(message, status=OK)]
    sentence = _SENTENCES[found.mode]
    if found.mode == "unknown":
        message = f"{sentence[:-1]}: {found.reason or 'the flows are unusual'}."
        details = {"exchange": seen(register), "excerpt": excerpt(register.body)}
        return [MODE.unknown(message, **evidence, **details)]
    if expected in _EXPECTED and found.mode not in _EXPECTED[expected]:
        message = f"{sentence[:-1]}, but the mode should be '{expected}'."
        return [MODE.error(message, expected=expected, **evidence)]
    judge = MODE.warning if found.mode == "open" and not expected else MODE.ok
    return [judge(sentence, **evidence)]


def _sign_up(metadata: Exchange) -> bool | None:
    """Whether OAuth 2.0 sign-up is advertised (client-server API, OAuth 2.0 API)."""
    value = object_of(metadata)
    if metadata.status != OK or text_at(value, "issuer") is None:
        return None
    prompts = value.get("prompt_values_supported")
    return isinstance(prompts, list) and "create" in prompts


def _login(exchange: Exchange) -> list[Finding]:
    flows = object_of(exchange).get("flows")
    if exchange.status == OK and isinstance(flows, list):
        kinds = [text_at(flow, "type") for flow in flows]
        names = sorted({kind for kind in kinds if kind})[:20]
        return [LOGIN.info(f"One can log in by {', '.join(names) or 'nothing'}.", flows=names)]
    if exchange.status == 404:
        return [LOGIN.info("One can log in by OAuth 2.0 only, if at all.")]
    if exchange.no_route:
        return [
            LOGIN.unknown("How one can log in cannot be told from here: there is no way there.")
        ]
    return [LOGIN.error("The ways to log in are not listed.", exchange=seen(exchange))]
