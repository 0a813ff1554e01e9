# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes of services against Debian's dnsmasq, Postfix and oidentd, on IPv4 and IPv6."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from services_host import HOST, SUBMISSION, ServicesHost

UPSTREAM = "--no-resolv --server=127.0.0.1#5300"
HONEST = ("mynetworks=127.0.0.0/8 [::1]/128",)
RELAY = ("mynetworks=0.0.0.0/0 [::]/0",)
WRAPPED = f"{SUBMISSION} -o smtpd_tls_wrappermode=yes"
SILENT = {("info", "ports.open.udp-53"), ("info", "ports.open.tcp-53")}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServicesHost]:
    host = ServicesHost.up(tmp_path_factory.mktemp("services"))
    yield host
    host.lab.down()


@pytest.fixture
def well(host: ServicesHost) -> ServicesHost:
    """Run everything as it should be: names for nobody else, mail for nobody else."""
    host.certify(HOST)
    host.mail(*HONEST)
    host.names("--no-resolv")
    return host


def faults(host: ServicesHost) -> set[tuple[str, str]]:
    return {(item.verdict, item.id) for item in host.look() if item.verdict != "ok"}


def test_nothing_is_wrong_with_good_services(well: ServicesHost) -> None:
    findings = well.look()
    assert [item for item in findings if item.verdict != "ok"] == []
    assert {item.id for item in findings} == {
        "ports.open.tcp-22",
        "ports.open.tcp-25",
        "ports.open.tcp-587",
        "ports.open.tcp-113",
        "ports.open.udp-53",
        "ports.open.tcp-53",
        "mail.starttls",
        "mail.certificate",
        "mail.relay",
        "dns.recursion",
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(f"--local-service {UPSTREAM}", SILENT, id="local service"),
        pytest.param(f"--interface=lo {UPSTREAM}", SILENT, id="another interface"),
        pytest.param("--interface=lo --bind-interfaces", SILENT, id="bound to another interface"),
        pytest.param(None, SILENT, id="no name server"),
    ],
)
def test_a_name_server_for_others(
    well: ServicesHost, options: str | None, expected: set[tuple[str, str]]
) -> None:
    """Whether it runs, a stranger cannot know; that it looks up nothing for him, he can."""
    well.names(options)
    assert faults(well) == expected


def test_an_open_resolver(well: ServicesHost) -> None:
    well.names(UPSTREAM)
    [finding] = [item for item in well.look() if item.id == "dns.recursion"]
    assert finding.verdict == "error"
    assert finding.message.endswith("looks up example.com for strangers over UDP and TCP.")
    assert len(finding.evidence["places"]) == 2


def test_an_open_relay(well: ServicesHost) -> None:
    well.mail(*RELAY)
    assert faults(well) == {("error", "mail.relay")}


def test_a_certificate_for_another_name(well: ServicesHost) -> None:
    well.certify("other.homestead.test")
    well.mail(*HONEST)
    assert faults(well) == {("warning", "mail.certificate")}


def test_tls_at_once(well: ServicesHost) -> None:
    well.mail(*HONEST, submission=WRAPPED)
    assert faults(well) == set()


def test_no_tls(well: ServicesHost) -> None:
    well.mail(
        *HONEST, "smtpd_tls_security_level=none", submission=SUBMISSION.split(" -o ", maxsplit=1)[0]
    )
    found = faults(well)
    well.mail(*HONEST, "smtpd_tls_security_level=may")
    assert found == {("warning", "mail.starttls"), ("error", "mail.starttls")}


def test_a_stopped_mail_server(well: ServicesHost) -> None:
    well.shell("systemctl stop postfix")
    assert faults(well) == {("error", "ports.open.tcp-25"), ("error", "ports.open.tcp-587")}
