# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's own hosts do: names, certificates, a web site, a second homeserver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homestead_lab.hosts import execute, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from homestead_lab.lab import Lab
    from homestead_lab.topology import Host, Subnet

AUTHORITIES = "/etc/ssl/lab.pem"  # on every host: who signs certificates in the lab
# The same, one in each file, for Synapse: of a file it reads the first certificate only.
AUTHORITY_FILES = ["/etc/ssl/lab-0.pem", "/etc/ssl/lab-1.pem"]
NSS = "sql:/home/debian/.pki/nssdb"
ACME_DIRECTORY = "https://acme.test:14000/dir"
OFTEN = {"per_second": 100, "burst_count": 100}


def name_server(lab: Lab, host: Host, *, subnet: Subnet, hosts: Iterable[Host]) -> None:
    """Answer for every name of the lab and ask the machine's own resolver for the rest."""
    records = [
        f"host-record={name},{','.join(subnet.addresses(owner))}"
        for owner in hosts
        for name in owner.names
    ]
    lines = ["local=/test/", "no-hosts", "bind-dynamic", *records]
    put(lab, host.name, "/etc/dnsmasq.d/lab.conf", "\n".join(lines) + "\n")
    address4, address6 = subnet.addresses(host)
    alternatives = f"DNS:acme.test,IP:{address4},IP:{address6}"
    execute(lab, host.name, "lab-certificate", "acme.test", alternatives)
    execute(lab, host.name, "systemctl", "enable", "--now", "dnsmasq.service", "pebble.service")
    authority = execute(lab, host.name, "cat", "/etc/lab/authority.crt") + "\n"
    (lab.state / "ca.pem").write_text(f"{authority}{acme_root(lab, host)}\n")


def acme_root(lab: Lab, host: Host) -> str:
    """Fetch the root certificate that pebble made at its start."""
    patience = ["--retry", "20", "--retry-delay", "1", "--retry-connrefused"]
    trust = ["--cacert", "/etc/lab/authority.crt", "--resolve", "acme.test:15000:127.0.0.1"]
    command = ["curl", "--fail", "--silent", "--show-error", *patience, *trust]
    return execute(lab, host.name, *command, "https://acme.test:15000/roots/0")


SITE = """\
server {{
    listen 80;
    listen [::]:80;
    server_name {names};
    location / {{ return 301 https://$host$request_uri; }}
}}
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {names};
    ssl_certificate /etc/letsencrypt/live/{domain}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{domain}/privkey.pem;
    include /etc/nginx/snippets/matrix-*.conf;
    location / {{ root /var/www/site; }}
}}
"""


def web_site(lab: Lab, host: Host) -> None:
    """Serve an ordinary site with a certificate from the lab's ACME server."""
    certbot = ["certbot", "certonly", "--standalone", "--non-interactive", "--agree-tos"]
    certbot += ["--register-unsafely-without-email", "--server", ACME_DIRECTORY]
    certbot += [part for name in host.names for part in ("--domain", name)]
    execute(lab, host.name, "env", f"REQUESTS_CA_BUNDLE={AUTHORITIES}", *certbot)
    site = SITE.format(names=" ".join(host.names), domain=host.names[0])
    put(lab, host.name, "/etc/nginx/conf.d/site.conf", site)
    execute(lab, host.name, "systemctl", "restart", "nginx.service")


def homeserver(lab: Lab, host: Host, *, authority: str) -> None:
    """Run Synapse on SQLite, TLS on its own port, open to whoever registers."""
    name = host.names[0]
    execute(lab, authority, "lab-certificate", name, f"DNS:{name}")
    for part in ("crt", "key"):
        content = execute(lab, authority, "cat", f"/etc/lab/{name}.{part}") + "\n"
        put(lab, host.name, f"/etc/synapse.{part}", content, owner="synapse", mode="0400")
    settings = homeserver_settings(name)
    put(lab, host.name, "/etc/synapse.yaml", json.dumps(settings, indent=2), owner="synapse")
    put(lab, host.name, "/var/lib/synapse/log.yaml", json.dumps(LOGGING), owner="synapse")
    execute(lab, host.name, "systemctl", "enable", "--now", "synapse.service")


LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
}


def homeserver_settings(name: str) -> dict[str, object]:
    resources = [{"names": ["client", "federation"]}]
    return {
        "server_name": name,
        "public_baseurl": f"https://{name}:8448/",
        "listeners": [{"port": 8448, "type": "http", "tls": True, "resources": resources}],
        "tls_certificate_path": "/etc/synapse.crt",
        "tls_private_key_path": "/etc/synapse.key",
        "database": {"name": "sqlite3", "args": {"database": "/var/lib/synapse/homeserver.db"}},
        "media_store_path": "/var/lib/synapse/media",
        "signing_key_path": "/var/lib/synapse/signing.key",
        "log_config": "/var/lib/synapse/log.yaml",
        "federation_custom_ca_list": AUTHORITY_FILES,
        "ip_range_blacklist": [],
        "federation_ip_range_blacklist": [],
        "trusted_key_servers": [],
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "rc_registration": OFTEN,
        "rc_login": {"address": OFTEN},
        "report_stats": False,
    }


def browser(lab: Lab, host: Host) -> None:
    """Let the browser trust the lab's authorities: it has a list of its own."""
    execute(lab, host.name, "install", "-d", "-o", "debian", NSS[len("sql:") :])
    trusting = ["runuser", "-u", "debian", "--", "certutil", "-d", NSS, "-A", "-t", "C,,"]
    for path in AUTHORITY_FILES:
        execute(lab, host.name, *trusting, "-n", path, "-i", path)


def mail_relay(lab: Lab, host: Host, *, authority: str) -> None:
    """Run Postfix with a certificate of the lab's own authority."""
    name = host.names[0]
    execute(lab, authority, "lab-certificate", name, f"DNS:{name}")
    chain = execute(lab, authority, "cat", f"/etc/lab/{name}.key", f"/etc/lab/{name}.crt") + "\n"
    put(lab, host.name, "/etc/postfix/relay.pem", chain, mode="0400")
    execute(lab, host.name, "systemctl", "restart", "postfix.service")


def trust(lab: Lab, host: Host) -> None:
    """Put the certificates of the lab's authorities on a host."""
    together = (lab.state / "ca.pem").read_text()
    put(lab, host.name, AUTHORITIES, together)
    begin = "-----BEGIN"
    for path, text in zip(AUTHORITY_FILES, together.split(begin)[1:], strict=True):
        put(lab, host.name, path, begin + text)


def configure(lab: Lab, host: Host, *, subnet: Subnet, hosts: dict[str, Host]) -> None:
    """Make a started host what its image's name says."""
    if host.image != "ns" and "ns" in hosts and (lab.state / "ca.pem").exists():
        trust(lab, host)
    duties: dict[str, Callable[[], None]] = {
        "ns": lambda: name_server(lab, host, subnet=subnet, hosts=hosts.values()),
        "base": lambda: web_site(lab, host),
        "peer": lambda: homeserver(lab, host, authority="ns"),
        "browser": lambda: browser(lab, host),
        "mail": lambda: mail_relay(lab, host, authority="ns"),
    }
    duties.get(host.image, lambda: None)()
