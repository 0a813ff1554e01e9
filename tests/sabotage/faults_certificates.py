# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of certificates and of TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from certificates import Shape, make
from damage import Edit, Edits, Shown, Together
from fault import SERVER, SITE, fault
from scene import Scene

BOTH = ("error certificate.trust", "error turn.certificate")
BASE = {"host": "base", "folder": "/etc/letsencrypt/live/homestead.test", "restart": ("nginx",)}

CHOSEN = """ssl_certificate /run/sabotage/$sabotage.pem;
ssl_certificate_key /run/sabotage/$sabotage.key;
"""
MAP = "map $server_addr $sabotage { default other; ~: six; }\nserver_names_hash"


@dataclass(frozen=True)
class Apart:
    """One certificate for IPv4 and another for IPv6."""

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        scene.run("matrix", "mkdir", "--parents", "/run/sabotage")
        for name in ("six", "other"):
            pair = make(scene.authority, Shape())
            scene.write("matrix", f"/run/sabotage/{name}.pem", pair.chain)
            scene.write("matrix", f"/run/sabotage/{name}.key", pair.key)
        edits = (
            Edit("matrix", SERVER, "ssl_certificate", "#"),
            Edit("matrix", SERVER, "ssl_certificate_key", "#"),
            Edit("matrix", SERVER, "ssl_protocols", f"{CHOSEN}ssl_protocols"),
            Edit("matrix", SITE, "server_names_hash", MAP),
        )
        with Edits(edits)(scene):
            yield


FAULTS = [
    fault("the certificate has expired", Shown(Shape(begins=-90, days=-1)), *BOTH),
    fault("the certificate is not valid yet", Shown(Shape(begins=2)), *BOTH),
    fault("the certificate is for another name", Shown(Shape(names=("homestead.test",))), *BOTH),
    fault("the certificate is self-signed", Shown(Shape(issuer="itself")), *BOTH),
    fault("nobody knows the issuer", Shown(Shape(issuer="stranger")), *BOTH),
    fault("the intermediate is missing", Shown(Shape(issuer="intermediate")), *BOTH),
    fault(
        "the certificate expires soon",
        Shown(Shape(begins=-80, days=10)),
        "warning certificate.expiry",
    ),
    fault(
        "the base domain's certificate has expired",
        Shown(Shape(names=("homestead.test",), begins=-90, days=-1), **BASE),
        "error certificate.trust",
    ),
    fault(
        "old versions of TLS are accepted",
        Edit(
            "matrix",
            SERVER,
            "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ",
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\nssl_ciphers @SECLEVEL=0:ALL:",
        ),
        "warning certificate.versions",
    ),
    fault(
        "the key is weak",
        Together(
            (
                Edit("matrix", SERVER, "ssl_ciphers ", "ssl_ciphers @SECLEVEL=0:"),
                Shown(Shape(rsa_bits=1024), restart=("nginx",)),
            )
        ),
        "error certificate.key",
        "error certificate.trust",
    ),
    fault(
        "IPv4 and IPv6 show different certificates",
        Apart(),
        "warning certificate.same",
    ),
]
