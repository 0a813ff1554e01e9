# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings nginx on the lab's hosts into a state."""

from __future__ import annotations

from browser_lab import BrowserLab
from states import BASE, DOCUMENTS, ECHO, MATRIX, THIRD, State, serve

HOSTS = {BASE: "base", MATRIX: "matrix", THIRD: "matrix"}
SITE = "/etc/nginx/conf.d/site.conf"
# It is stopped first, because a restart waits for browsers that keep a connection.
RESTART = "nginx -s stop; systemctl reset-failed nginx; systemctl restart nginx"
# Who asks from https gets an origin of its own; a request that a redirect led on has none.
MAP = "map $http_origin $https_origin { ~^https: $http_origin; default ''; }\n"
SERVER = """\
server {{
    {listen}
    server_name {name};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
{locations}
    location /away {{ return 302 https://third.test/; }}
}}
"""
LISTEN = " ".join(
    f"listen {address}{port};"
    for port in ("80", "443 ssl", "6697 ssl", "8443 ssl")
    for address in ("", "[::]:")
)
CERTIFICATES = "/etc/nginx/lab"
KINDS = ("untrusted", "expired", "other")
MAKE = f"""
cd /etc/lab
make() {{
    name=$1; shift
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
        -addext extendedKeyUsage=serverAuth -addext basicConstraints=CA:FALSE \
        -keyout "$name.key" -out "$name.crt" "$@" 2>/dev/null
}}
ours="-addext subjectAltName=DNS:{BASE},DNS:{MATRIX}"
signed="-CA authority.crt -CAkey authority.key"
make untrusted $ours -days 9
make expired $ours $signed -not_before 20250101000000Z -not_after 20250401000000Z
make other $signed -addext subjectAltName=DNS:other.test -days 9
"""


def make_certificates(lab: BrowserLab) -> None:
    """Bring certificates with a fault to the hosts."""
    lab.run("ns", "sh", "-euc", MAKE)
    names = [f"{kind}.{part}" for kind in KINDS for part in ("crt", "key")]
    contents = {name: lab.read("ns", f"/etc/lab/{name}").encode() for name in names}
    for host in ("base", "matrix"):
        lab.put({(host, f"{CERTIFICATES}/{name}"): content for name, content in contents.items()})


def bring(lab: BrowserLab, state: State) -> None:
    """Let nginx answer as the state says."""
    sites = dict.fromkeys(("base", "matrix"), MAP)
    for name, answer in state.answers().items():
        sites[HOSTS[name]] += _server(name, answer, dict(state.certificates).get(name, ""))
    lab.put(
        {(host, SITE): site.encode(errors="surrogateescape") for host, site in sites.items()},
        then=RESTART,
    )


def _server(name: str, answer: str, faulty: str) -> str:
    good = f"/etc/letsencrypt/live/{BASE if name == BASE else MATRIX}"
    return SERVER.format(
        name=name,
        listen=LISTEN,
        certificate=f"{CERTIFICATES}/{faulty}.crt" if faulty else f"{good}/fullchain.pem",
        key=f"{CERTIFICATES}/{faulty}.key" if faulty else f"{good}/privkey.pem",
        locations="\n".join(_location(answer, part) + _moved(part) for part in DOCUMENTS),
    )


def _location(answer: str, part: str) -> str:
    path = f"/.well-known/matrix/{part}"
    filled = answer.replace("@path@", path).replace("@part@", part)
    return f"    location = {path} {{ {filled.replace('@document@', DOCUMENTS[part])} }}\n"


def _moved(part: str) -> str:
    """Have the document at another address of the same name, too, for redirects at home."""
    document = serve(ECHO).replace("@document@", DOCUMENTS[part])
    return f'    location = "/moved to/{part}" {{ {document} }}'
