# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small TURN client over one channel (RFC 8656): it asks, and says what came back."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import stun
from .stun import Attribute, IPAddress, Kind, Message, Name, StunError, TransportAddress
from .transport import Channel

UNAUTHORIZED = 401
FORBIDDEN = 403
ALLOCATION_MISMATCH = 437
STALE_NONCE = 438
FAMILY_NOT_SUPPORTED = 440
WRONG_CREDENTIALS = 441
_MEANINGS = {
    300: "use another server",
    400: "bad request",
    UNAUTHORIZED: "not authorised",
    FORBIDDEN: "forbidden",
    420: "unknown attribute",
    ALLOCATION_MISMATCH: "no allocation, or another one",
    STALE_NONCE: "stale nonce",
    FAMILY_NOT_SUPPORTED: "address family not supported",
    WRONG_CREDENTIALS: "wrong credentials",
    442: "transport not supported",
    443: "other address family",
    486: "allocation quota reached",
    508: "no capacity",
}
_PORTS = 3
"""From how many ports a relay is asked for (RFC 8656 section 7.4): the server refuses with 437 from
one that it holds a relay or another user's name for (coturn: for a minute after an expired user was
refused), and the system may give us the port of an earlier look."""
_UDP = b"\x11\0\0\0"
_FAMILIES = {4: b"\1\0\0\0", 6: b"\2\0\0\0"}
_STRAY_ANSWERS = 8
_SECONDS = 5.0
"""How long answers to something else are passed over."""
_SUCCESS, _ERROR = 0x0100, 0x0110


class SilenceError(StunError):
    """Nothing answered."""


class RefusedError(StunError):
    """The server answered with an error."""

    def __init__(self, answer: Message) -> None:
        self.code = answer.error_code
        meaning = _MEANINGS.get(self.code, answer.error_reason[:100])
        super().__init__(f"the server refuses with {self.code} ({meaning})")


@dataclass(frozen=True)
class Credentials:
    """A user of the TURN server; the password is never printed."""

    username: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Credentials | None:
        """Read the module's argument; without both parts there are no credentials."""
        username, password = ((given or {}).get(name) or "" for name in ("username", "password"))
        return cls(str(username), str(password)) if username and password else None


@dataclass(frozen=True)
class Allocation:
    """What the server lends: the relayed address, for some seconds, to whom it sees."""

    relayed: TransportAddress
    mapped: TransportAddress
    lifetime: int


@dataclass(frozen=True)
class _Login:
    """What signs the requests after a challenge."""

    attributes: tuple[Attribute, ...] = ()
    key: bytes | None = None


def missing(received: bytes) -> int:
    """Return how many bytes of a message are still to come; none if it never will be one."""
    if len(received) < stun.HEADER_BYTES:
        return stun.HEADER_BYTES - len(received)
    try:
        return max(0, stun.message_length(received) - len(received))
    except StunError:
        return 0


class TurnClient:
    """Speaks over one channel; whatever goes wrong is a StunError with one clear phrase."""

    def __init__(self, channel: Channel, credentials: Credentials | None = None) -> None:
        self._channel = channel
        self._credentials = credentials
        self._login = _Login()
        self.realm = ""

    async def bind(self) -> TransportAddress:
        """Ask by which address the server sees us."""
        return _endpoint(await self._ask(Kind.BINDING), Name.XOR_MAPPED_ADDRESS)

    async def challenge(self, version: int) -> Message:
        """Ask for a relay without saying who we are; the refusal tells how to say it."""
        return await self._from_ports(lambda: self._challenge(version))

    async def allocate(self, version: int) -> Allocation:
        """Ask for a relay of this IP version, as the user we are."""
        answer = _success(await self._from_ports(lambda: self._borrow(version)))
        return Allocation(
            relayed=_endpoint(answer, Name.XOR_RELAYED_ADDRESS),
            mapped=_endpoint(answer, Name.XOR_MAPPED_ADDRESS),
            lifetime=answer.lifetime,
        )

    async def _from_ports(self, ask: Callable[[], Awaitable[Message]]) -> Message:
        """Ask from our port, and from others while the server holds something else for it."""
        for _unused in range(1, _PORTS):
            answer = await ask()
            if answer.error_code != ALLOCATION_MISMATCH:
                return answer
            await self._channel.move()
            self._login = _Login()
        return await ask()

    async def _challenge(self, version: int) -> Message:
        answer = await self._transact(Kind.ALLOCATE, _relay_wish(version))
        self._remember(answer)
        return answer

    async def _borrow(self, version: int) -> Message:
        if not self._login.key:
            await self._challenge(version)
        return await self._answered(Kind.ALLOCATE, *_relay_wish(version))

    async def permit(self, peer: IPAddress) -> None:
        """Let a peer send to our relay, and us to it."""
        wish = _permission(peer)
        await self._ask(Kind.CREATE_PERMISSION, *wish.attributes, transaction=wish.transaction)

    async def permit_each(self, peers: Sequence[IPAddress]) -> dict[IPAddress, StunError | None]:
        """Ask for each of these peers, all at once; return why it may not be sent to, if so."""
        wishes = {peer: _permission(peer) for peer in peers}
        answers = await self._transact_all(list(wishes.values()))
        found: dict[IPAddress, StunError | None] = {}
        for peer, wish in wishes.items():
            answer = answers.get(wish.transaction)
            open_still = answer is None or answer.error_code == STALE_NONCE
            found[peer] = await self._refusal(peer) if answers and open_still else _refusal(answer)
        return found

    async def _refusal(self, peer: IPAddress) -> StunError | None:
        """Ask for one peer by itself, as a datagram was lost or the nonce is another one now."""
        try:
            await self.permit(peer)
        except StunError as error:
            return error
        return None

    async def release(self) -> None:
        """Give the relay back."""
        await self._ask(Kind.REFRESH, (Name.LIFETIME, bytes(4)))

    async def release_quietly(self) -> None:
        """Give back what should not have been given."""
        with contextlib.suppress(StunError):
            await self.release()

    async def relay(self, payload: bytes, peer: TransportAddress) -> bytes:
        """Send data to a peer through the relay, and return what comes back through it."""
        answer = await self._channel.exchange(_send_indication(payload, peer), missing=missing)
        for _unused in range(_STRAY_ANSWERS):
            if not answer:
                break
            message = stun.parse(answer)
            if message.kind == Kind.DATA_INDICATION:
                return message.value(Name.DATA) or b""
            answer = await self._channel.exchange(b"", missing=missing)
        raise SilenceError("nothing came back through the relay")

    async def echo(self) -> None:
        """Send back whatever peers send to our relay, until cancelled."""
        answer = await self._channel.exchange(b"", missing=missing)
        while answer:
            message = stun.parse(answer)
            peer = message.endpoint(Name.XOR_PEER_ADDRESS)
            payload = b""
            if message.kind == Kind.DATA_INDICATION and peer:
                payload = _send_indication(message.value(Name.DATA) or b"", peer)
            answer = await self._channel.exchange(payload, missing=missing)

    async def _ask(self, kind: Kind, *attributes: Attribute, transaction: bytes = b"") -> Message:
        """Ask as the user we are, and insist on success."""
        return _success(await self._answered(kind, *attributes, transaction=transaction))

    async def _answered(
        self, kind: Kind, *attributes: Attribute, transaction: bytes = b""
    ) -> Message:
        """Ask as the user we are, again if the nonce is stale."""
        answer = await self._transact(kind, attributes, transaction=transaction)
        if answer.error_code == STALE_NONCE and self._credentials:
            self._remember(answer)
            answer = await self._transact(kind, attributes, transaction=transaction)
        return answer

    async def _transact(
        self, kind: Kind, attributes: tuple[Attribute, ...], *, transaction: bytes = b""
    ) -> Message:
        """Send a request and return the answer to it, passing over anything else."""
        identity = transaction or os.urandom(stun.TRANSACTION_BYTES)
        login = _Login() if kind == Kind.BINDING else self._login
        request = Message(kind, identity, (*attributes, *login.attributes))
        data = stun.build(request, key=login.key)
        started = time.monotonic()
        for _unused in range(_STRAY_ANSWERS):
            answer = await self._channel.exchange(data, missing=missing)
            if not answer:
                break
            message = stun.parse(answer)
            if message.same_transaction(request):
                return _believable(answer, message, kind=kind, login=login)
            if time.monotonic() - started > _SECONDS:
                break
            data = b""
        raise SilenceError("nothing answers")

    async def _transact_all(self, wishes: Sequence[Message]) -> dict[bytes, Message]:
        """Send several requests in one go, and return the answers by their transactions."""
        attributes, key = self._login.attributes, self._login.key
        signed = (replace(wish, attributes=(*wish.attributes, *attributes)) for wish in wishes)
        first, *others = (stun.build(wish, key=key) for wish in signed)
        for data in others:
            self._channel.send(data)
        answers: dict[bytes, Message] = {}
        for _unused in range(len(wishes) + _STRAY_ANSWERS):
            if len(answers) == len(wishes):
                break
            if not (answer := await self._channel.exchange(first, missing=missing)):
                break
            answers.update(self._told(answer, wishes))
            first = b""
        return answers

    def _told(self, answer: bytes, wishes: Sequence[Message]) -> dict[bytes, Message]:
        """Return an answer with its transaction, if it is a believable one to one of the wishes."""
        try:
            message = stun.parse(answer)
            _believable(answer, message, kind=Kind.CREATE_PERMISSION, login=self._login)
        except StunError:
            return {}
        is_ours = any(message.same_transaction(wish) for wish in wishes)
        return {message.transaction: message} if is_ours else {}

    def _remember(self, challenge: Message) -> None:
        """Prepare to sign as the challenge asks (RFC 8489 section 9.2.3)."""
        self.realm = challenge.text(Name.REALM)
        if self._credentials is None or not challenge.is_error:
            return
        user = self._credentials
        attributes = (
            (int(Name.USERNAME), user.username.encode()),
            (int(Name.REALM), challenge.value(Name.REALM) or b""),
            (int(Name.NONCE), challenge.value(Name.NONCE) or b""),
        )
        key = stun.long_term_key(user.username, self.realm, user.password)
        self._login = _Login(attributes, key)


def _believable(data: bytes, message: Message, *, kind: Kind, login: _Login) -> Message:
    """Return an answer if it is one: refusals need a code, successes our signature."""
    if message.kind not in (kind | _SUCCESS, kind | _ERROR):
        raise StunError(f"the answer is a message of kind 0x{message.kind:04x}")
    if message.is_error and not message.error_code:
        raise StunError("the refusal has no code")
    if login.key and message.is_success and not stun.is_signed_with(data, login.key):
        raise StunError("the answer is not signed with the password")
    return message


def _relay_wish(version: int) -> tuple[Attribute, ...]:
    family = ((int(Name.REQUESTED_ADDRESS_FAMILY), _FAMILIES[version]),) if version == 6 else ()
    return ((int(Name.REQUESTED_TRANSPORT), _UDP), *family)


def _permission(peer: IPAddress) -> Message:
    transaction = os.urandom(stun.TRANSACTION_BYTES)
    value = stun.encode_endpoint(TransportAddress(peer, 0), transaction=transaction)
    return Message(Kind.CREATE_PERMISSION, transaction, ((int(Name.XOR_PEER_ADDRESS), value),))


def _success(answer: Message) -> Message:
    """Insist on success."""
    if answer.is_error:
        raise RefusedError(answer)
    return answer


def _refusal(answer: Message | None) -> StunError | None:
    if answer is None:
        return SilenceError("nothing answers")
    return RefusedError(answer) if answer.is_error else None


def _send_indication(payload: bytes, peer: TransportAddress) -> bytes:
    transaction = os.urandom(stun.TRANSACTION_BYTES)
    value = stun.encode_endpoint(peer, transaction=transaction)
    attributes = ((int(Name.XOR_PEER_ADDRESS), value), (int(Name.DATA), payload))
    return stun.build(Message(Kind.SEND_INDICATION, transaction, attributes))


def _endpoint(answer: Message, name: Name) -> TransportAddress:
    endpoint = answer.endpoint(name)
    if endpoint is None:
        raise StunError(f"the answer has no {name.name.replace('_', '-')}")
    return endpoint
