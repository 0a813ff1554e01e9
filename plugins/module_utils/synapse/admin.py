# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synapse's admin API: what to ask, with which account, and the one place that asks it."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, Literal

from ..homeserver.interface import ADMINISTRATOR, HomeserverError, UnreachableError
from ..service.secrets import generate

if TYPE_CHECKING:
    from ..homeserver.interface import Secrets

DEVICE = "homestead"
TOKEN_SECRET = "synapse_admin_token"
PASSWORD_SECRET = "synapse_admin_password"
REGISTRATION_SECRET = "synapse_registration"
PASSWORD_LENGTH = 64
TIMEOUT = 30


@dataclass(frozen=True)
class Call:
    """One call of Synapse's API."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    body: Mapping[str, object] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Response:
    status: int
    body: dict[str, Any] = field(default_factory=dict, repr=False)


Send = Callable[[Call], Response]


@dataclass(frozen=True)
class Administrator:
    """What an administrator may ask, and the server name behind the colon."""

    send: Send
    token: str = field(repr=False)
    server_name: str
    new_account: str = ""
    """The administrator's Matrix ID, if this session has made that account."""

    def ask(self, request: Call) -> Response:
        """Ask as the administrator; a missing thing is an answer, any other refusal an error."""
        response = self.send(Call(request.method, request.path, request.body, self.token))
        return response if response.status == 404 else accepted(response)


def http(url: str) -> Send:
    """Return the way to ask the Synapse at `url`, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(request: Call) -> Response:
        try:
            with opener.open(_as_http(url, request), timeout=TIMEOUT) as answer:
                return Response(answer.status, _read(answer.read()))
        except urllib.error.HTTPError as refusal:
            return Response(refusal.code, _read(refusal.read()))
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise UnreachableError(f"Synapse does not answer at {url}: {reason}") from error

    return send


def _as_http(url: str, request: Call) -> urllib.request.Request:
    headers = {"Content-Type": "application/json"}
    if request.token is not None:
        headers["Authorization"] = f"Bearer {request.token}"
    data = None if request.body is None else json.dumps(request.body).encode()
    address = url.rstrip("/") + request.path
    return urllib.request.Request(address, data=data, headers=headers, method=request.method)


def _read(answer: bytes) -> dict[str, Any]:
    try:
        body = json.loads(answer)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def accepted(response: Response) -> Response:
    """Return the response, or raise what Synapse says is wrong."""
    if response.status >= 400:
        reason = response.body.get("error", "no reason given")
        code = response.body.get("errcode", f"status {response.status}")
        raise HomeserverError(f"Synapse refuses: {reason} ({code})")
    return response


def session_for(send: Send, secrets: Secrets, *, check_mode: bool) -> Administrator | None:
    """Return a session; in check mode none where one would have to make it first."""
    if not check_mode:
        return open_session(send, secrets)
    try:
        return resume_session(send, secrets)
    except UnreachableError:
        return None


def open_session(send: Send, secrets: Secrets) -> Administrator:
    """Sign in as this host's administrator; the first time, make that account."""
    session = resume_session(send, secrets)
    if session is not None:
        return session
    password = secrets.read(PASSWORD_SECRET) or generate(PASSWORD_LENGTH)
    secrets.write(PASSWORD_SECRET, password)
    answer = _register(send, secrets, password)
    is_new = answer.body.get("errcode") != "M_USER_IN_USE"
    if not is_new:
        answer = send(login_request(password))
    secrets.write(TOKEN_SECRET, str(accepted(answer).body["access_token"]))
    session = resume_session(send, secrets)
    if session is None:
        raise HomeserverError("Synapse does not know the access token it has just handed out")
    made = f"@{ADMINISTRATOR}:{session.server_name}" if is_new else ""
    return replace(session, new_account=made)


def resume_session(send: Send, secrets: Secrets) -> Administrator | None:
    """Return the session of an earlier run, if Synapse still knows it; changes nothing."""
    token = secrets.read(TOKEN_SECRET)
    if token is None:
        return None
    answer = send(Call("GET", "/_matrix/client/v3/account/whoami", token=token))
    if answer.status == 401:
        return None
    user_id = str(accepted(answer).body["user_id"])
    return Administrator(send, token, user_id.partition(":")[2])


def _register(send: Send, secrets: Secrets, password: str) -> Response:
    shared_secret = secrets.read(REGISTRATION_SECRET)
    if shared_secret is None:
        raise HomeserverError(f"the secret {REGISTRATION_SECRET!r} does not exist on this host yet")
    answer = accepted(send(Call("GET", "/_synapse/admin/v1/register")))
    return send(registration_request(str(answer.body["nonce"]), shared_secret, password))


def registration_request(nonce: str, shared_secret: str, password: str) -> Call:
    """Return the registration of the administrator, proven by the shared secret (HMAC-SHA1)."""
    parts = [nonce, ADMINISTRATOR, password, "admin"]
    proof = hmac.new(shared_secret.encode(), "\0".join(parts).encode(), hashlib.sha1)
    body = {
        "nonce": nonce,
        "username": ADMINISTRATOR,
        "password": password,
        "admin": True,
        "mac": proof.hexdigest(),
    }
    return Call("POST", "/_synapse/admin/v1/register", body)


def login_request(password: str) -> Call:
    """Return the login of the administrator, always as the same device."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": ADMINISTRATOR},
        "password": password,
        "device_id": DEVICE,
        "initial_device_display_name": DEVICE,
    }
    return Call("POST", "/_matrix/client/v3/login", body)
