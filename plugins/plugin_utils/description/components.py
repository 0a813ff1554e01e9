# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The component table: the one place that knows what a component needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Protocol = Literal["tcp", "udp", "ah", "esp", "gre", "ipv6", "vrrp"]


@dataclass(frozen=True)
class Port:
    """A port or a range of ports that must be reachable; `name` is what operators call it.

    `probe` is the verifier's word for what must answer there, `quiet` if nothing does that is well.
    Where it is not `needed`, something listens only if the operator wants it; `inside`, what
    listens is silent towards strangers.
    A variable that is its `switch` closes it, and what listens there, when it is false; an input
    that is its `number` moves it. With `relayed`, whoever has a call may also reach it through the
    TURN server.
    """

    name: str
    protocol: Protocol
    first: int
    last: int
    purpose: str
    probe: str = ""
    needed: bool = False
    inside: bool = False
    switch: str = ""
    number: str = ""
    relayed: bool = False


@dataclass(frozen=True)
class Listener:
    """A local port that only this host may reach."""

    port: int
    purpose: str


@dataclass(frozen=True)
class Route:
    """A part of a web address: handed on to an upstream, or served from the host's own files.

    Static are the files of a `directory`, and one `file` is of its `content_type`.
    If it is `private`, only the host itself gets an answer, the private network, and, unless
    `matrix_private_access` says otherwise, `matrix_admin_networks`; others meet what they meet
    where nothing is served.
    Pages that are `confined` neither send anything to other sites nor stand in frames of theirs.
    A `listener` of the component is asked instead of its upstream. A `fallback` is served for what
    the directory does not have, as applications of one page need; with `includes`, pages may
    include others (Server Side Includes).
    """

    path: str
    kind: Literal["proxy", "websocket", "static", "file"] = "proxy"
    directory: str = ""
    private: bool = False
    file: str = ""
    content_type: str = "application/json"
    confined: bool = False
    listener: Listener | None = None
    fallback: str = ""
    includes: bool = False


@dataclass(frozen=True)
class DnsRecord:
    """A DNS record beside the addresses; `value` may hold {domain}, {hostname} and {name}.

    There is one for `each` of the names that the description has under this attribute, {each}.
    With `key`, a secret of the host, the value holds its public half as {key}.
    """

    kind: str
    value: str
    purpose: str
    name: str = "{domain}"
    each: str = ""
    key: str = ""


@dataclass(frozen=True)
class ApplicationService:
    """Who acts on the homeserver for users of its own (Application Service API, Registration)."""

    sender: str
    users: str
    """A regular expression for the local parts of its users."""


@dataclass(frozen=True)
class Bot:
    """A bridge's own account; `start` tells people how to begin with it.

    It obeys the administrators of bridges, of whom it needs one.
    """

    name: str
    start: str


@dataclass(frozen=True)
class Component:
    """One row, and the role that provides it.

    With a `label`, the component has a name of its own below the base domain, and its routes are
    there; else they are at the Matrix host. `client` goes into the client document, `handover`,
    which tells people what to know, onto the handover page; both may hold the same words in braces
    as DNS records. `listeners` are its local ports beside the `upstream`.
    """

    name: str
    title: str
    role: str
    ports: tuple[Port, ...] = ()
    optional: bool = True
    label: str = ""
    upstream: Listener | None = None
    listeners: tuple[Listener, ...] = ()
    routes: tuple[Route, ...] = ()
    client: tuple[tuple[str, Mapping[str, str]], ...] = ()
    records: tuple[DnsRecord, ...] = ()
    application_service: ApplicationService | None = None
    bot: Bot | None = None
    certificate_units: tuple[str, ...] = ()
    handover: str = ""
    requires: tuple[str, ...] = ()
    """The components without which it makes no sense."""

    @property
    def is_private(self) -> bool:
        """Whether there is nothing of it but what is private."""
        return bool(self.routes) and not self.ports and all(each.private for each in self.routes)

    @property
    def local(self) -> tuple[Listener, ...]:
        """Return every local port that it has."""
        return (*((self.upstream,) if self.upstream else ()), *self.listeners)


@dataclass(frozen=True)
class Choice:
    """One way to provide a part: `units` reload when the certificate changes."""

    name: str
    units: tuple[str, ...] = ()


def _tcp(name: str, port: int, purpose: str, probe: str = "", **more: Any) -> Port:
    return Port(name, "tcp", port, port, purpose, probe, **more)


def _udp(name: str, port: int, purpose: str, probe: str = "", **more: Any) -> Port:
    return Port(name, "udp", port, port, purpose, probe, **more)


RELAY = Port("relay", "udp", 49152, 49573, "TURN relays for calls")
TURN_PORT = 3478
TURN_TLS_PORT = 5349
HTTPS_PORT = 443
MAIL = "postmoogle.domains"
FEDERATION_PORT = 8448
JITSI_BRIDGE = Listener(9092, "Jitsi's video bridge: WebSockets")
JITSI_DIRECTORY = "/usr/share/jitsi-meet"
JITSI_CONFIG = "/var/lib/homestead/jitsi/config.js"
_JITSI_KEYS = ("io.element.jitsi", "im.vector.riot.jitsi")
_SCRIPT = "application/javascript"

_ROWS = (
    Component(
        name="ssh",
        title="SSH",
        ports=(_tcp("ssh", 22, "SSH", "ssh", needed=True, number="ssh_port"),),
        role="firewall",
        optional=False,
    ),
    Component(
        name="reverse_proxy",
        title="Web server",
        ports=(
            _tcp("http", 80, "HTTP: certificates and redirects to HTTPS", "http", needed=True),
            _tcp("https", HTTPS_PORT, "HTTPS: clients", "https", needed=True),
        ),
        role="reverse_proxy",
        optional=False,
    ),
    Component(
        name="synapse",
        title="Synapse",
        ports=(
            _tcp(
                "federation",
                FEDERATION_PORT,
                "HTTPS: federation with other servers",
                "federation",
                needed=True,
            ),
        ),
        role="synapse",
        optional=False,
        upstream=Listener(8008, "Synapse without TLS"),
        routes=(
            Route("/_matrix/"),
            Route("/_synapse/client/"),
            Route("/_synapse/admin/", private=True),
        ),
    ),
    Component(
        name="coturn",
        title="TURN server",
        ports=(
            _tcp("turn", TURN_PORT, "TURN: calls", "stun_tcp", needed=True),
            _udp("turn", TURN_PORT, "TURN: calls", "stun_udp", needed=True),
            _tcp("turns", TURN_TLS_PORT, "TURN over TLS: calls", "stun_tls", needed=True),
            _udp("turns", TURN_TLS_PORT, "TURN over TLS: calls", "dtls", needed=True),
            RELAY,
        ),
        role="coturn",
        optional=False,
        certificate_units=("coturn.service",),
    ),
    Component(
        name="jitsi",
        title="Jitsi Meet",
        ports=(
            _tcp("jitsi_tcp", 4443, "Jitsi: video over TCP, which only old bridges have"),
            _udp("jitsi_video", 10000, "Jitsi: video", "quiet", needed=True, relayed=True),
        ),
        role="jitsi",
        label="jitsi",
        upstream=Listener(5280, "Prosody: BOSH and WebSockets without TLS"),
        listeners=(
            Listener(5222, "Prosody: XMPP for Jitsi's services"),
            Listener(8888, "Jitsi's conference focus"),
            JITSI_BRIDGE,
            Listener(9093, "Jitsi's video bridge: health"),
        ),
        routes=(
            Route("/config.js", "file", file=JITSI_CONFIG, content_type=_SCRIPT),
            Route(
                "/external_api.js",
                "file",
                file=f"{JITSI_DIRECTORY}/libs/external_api.min.js",
                content_type=_SCRIPT,
            ),
            Route("/http-bind"),
            Route("/xmpp-websocket", "websocket"),
            Route("/colibri-ws/", "websocket", listener=JITSI_BRIDGE),
            Route("/", "static", JITSI_DIRECTORY, fallback="index.html", includes=True),
        ),
        client=tuple((key, {"preferredDomain": "{name}"}) for key in _JITSI_KEYS),
        handover="Video conferences, in Element and in every browser: an address like "
        "https://{name}/SomeRoom is one, and whoever has it may come in.",
        certificate_units=("prosody.service",),
    ),
    Component(
        name="postmoogle",
        title="E-mail bridge",
        ports=(
            _tcp("smtp", 25, "SMTP: e-mail from other servers", "smtp", needed=True),
            _tcp("submission", 587, "SMTP over TLS: e-mail from programs", "smtp", needed=True),
        ),
        role="postmoogle",
        records=(
            DnsRecord("MX", "10 {hostname}", "E-mail comes here", "{each}", MAIL),
            DnsRecord("TXT", "v=spf1 mx -all", "SPF: who sends e-mail", "{each}", MAIL),
            DnsRecord(
                "TXT",
                "v=DKIM1; k=rsa; p={key}",
                "DKIM: the key that signs e-mail",
                "postmoogle._domainkey.{each}",
                MAIL,
                key="postmoogle_dkim",
            ),
            DnsRecord(
                "TXT",
                "v=DMARC1; p=quarantine",
                "DMARC: what forgeries deserve",
                "_dmarc.{each}",
                MAIL,
            ),
        ),
        bot=Bot(
            "postmoogle",
            "Invite it into a room of your own and say !pm mailbox NAME. "
            "E-mail to NAME arrives there, and what you answer in its thread goes out.",
        ),
        handover="Everybody on this server gets and sends e-mail in rooms; its bot explains "
        "itself. Programs send by {hostname}, port 587, with TLS.",
        certificate_units=("postmoogle.service",),
    ),
    Component(
        name="heisenbridge",
        title="IRC bridge",
        role="heisenbridge",
        ports=(
            _tcp(
                "ident",
                113,
                "Ident: who is who on IRC",
                "ident",
                needed=True,
                switch="heisenbridge_identd",
            ),
        ),
        upstream=Listener(9898, "Heisenbridge"),
        routes=(Route("/_heisenbridge/media/"),),
        handover="Everybody whom its administrators let in uses IRC from Matrix, each with "
        "connections of their own. Its bot explains itself.",
        application_service=ApplicationService(
            sender="heisenbridge",
            users="irc_.*",
        ),
        bot=Bot(
            "heisenbridge",
            "Start a direct chat with it, or accept its invitation, and say HELP. "
            "It cannot read encrypted rooms: switch encryption off when you start the chat.",
        ),
    ),
    Component(
        name="wireguard",
        title="Private network",
        role="wireguard",
        ports=(
            _udp(
                "wireguard",
                51820,
                "WireGuard: private network",
                "quiet",
                needed=True,
                number="wireguard_port",
            ),
        ),
        handover="Administrators, and machines that are let in, reach the host by WireGuard at "
        "{hostname}. Who is new asks an administrator for a configuration.",
    ),
    Component(
        name="dnsmasq",
        title="DNS for the private network",
        role="dnsmasq",
        requires=("wireguard",),
        handover="Machines in the private network ask the host for names, and reach it there by "
        "{hostname}. It answers nobody else.",
        ports=(
            _tcp("dns", 53, "DNS", "dns_tcp", inside=True),
            _udp("dns", 53, "DNS", "dns_udp", inside=True),
        ),
    ),
    Component(
        name="admin_ui",
        title="Administration page",
        role="admin_ui",
        routes=(
            Route(
                "/admin/config.json",
                "file",
                file="/etc/admin-ui/config.json",
                private=True,
                confined=True,
            ),
            Route("/admin/", "static", "/opt/admin-ui/current", private=True, confined=True),
        ),
        handover="Administrators manage users and rooms at https://{hostname}/admin/, from the "
        "networks that may open it.",
    ),
)

COMPONENTS = {row.name: row for row in _ROWS}
ALWAYS = tuple(row.name for row in _ROWS if not row.optional)


def optional() -> tuple[str, ...]:
    """Return the names of the components that may be left out."""
    return tuple(row.name for row in COMPONENTS.values() if row.optional)


def switches() -> tuple[str, ...]:
    """Return the variables that close ports of components when they are false."""
    ports = (port for row in COMPONENTS.values() for port in row.ports)
    return tuple(dict.fromkeys(port.switch for port in ports if port.switch))


REVERSE_PROXIES = {row.name: row for row in (Choice("nginx", ("nginx.service",)),)}
FIREWALLS = {
    row.name: row
    for row in (Choice("nftables"), Choice("ufw"), Choice("firewalld"), Choice("none"))
}
PRIVATE_ACCESS = ("sources", "tunnel")
CERTIFICATES = ("acme", "files", "self_signed")
REGISTRATIONS = ("invite", "closed", "email", "open")

# Ports on which a Matrix host often answers by mistake; a stranger must get nothing there.
INTERNAL_LISTENERS = (
    Listener(111, "rpcbind"),
    Listener(5432, "PostgreSQL"),
    Listener(5766, "coturn's command line"),
    Listener(6379, "Redis"),
    Listener(8080, "a web server without TLS"),
    Listener(9000, "Synapse's metrics"),
    Listener(9090, "Prometheus"),
    Listener(9100, "the host's metrics"),
    Listener(9641, "coturn's metrics"),
)
