# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    DEFAULTS,
    read_description,
    variable,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

JITSI = {"components": ["jitsi"]}
BRIDGE = {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"]}
MAIL = {
    "components": ["postmoogle"],
    "bridge_admins": ["@alice:example.com"],
    "postmoogle_domains": ["mail.example.com"],
    "postmoogle_sha256": "0" * 64,
}
SMTP = {"host": "smtp.example.com", "from": "matrix@example.com"}


def test_the_domain_alone_is_enough() -> None:
    description = read_description("example.com", {})
    assert description.hostname == "matrix.example.com"
    assert description.components == ("ssh", "reverse_proxy", "synapse", "coturn")
    assert description.registration == "invite"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"hostname": "chat.provider.example"}, id="host in another domain"),
        pytest.param({"hostname": "example.com"}, id="host name equal to the domain"),
        pytest.param({"ssh_port": "2222"}, id="number as text"),
        pytest.param({"serve_base_domain": "yes"}, id="truth as text"),
        pytest.param({"registration": "email", "smtp": SMTP}, id="e-mail with a relay"),
        pytest.param(
            {"smtp": {**SMTP, "from": "Matrix <matrix@example.com>", "port": "465"}},
            id="sender with a name",
        ),
        pytest.param({"firewall": "none", "certificate": "self_signed"}, id="other choices"),
        pytest.param({"firewall": "ufw"}, id="ufw"),
        pytest.param({**BRIDGE, "bridge_admins": ["@Bob:10.0.0.1:8448"]}, id="foreign and old"),
        pytest.param({"firewall": "firewalld"}, id="firewalld"),
        pytest.param(MAIL, id="e-mail bridge"),
        pytest.param(
            {**MAIL, "postmoogle_settings": {"POSTMOOGLE_RELAY_PORT": 587}}, id="e-mail by a relay"
        ),
        pytest.param({"components": None, "support": None, "addresses": None}, id="nulls"),
    ],
)
def test_what_is_right(given: dict[str, object]) -> None:
    assert read_description("example.com", given).domain == "example.com"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"hostname": "https://matrix.example.com"},
            "matrix_hostname 'https://matrix.example.com' has the scheme https://; "
            "write only the name, matrix.example.com.",
            id="host name with a scheme",
        ),
        pytest.param(
            {"hostname": "matrix.example.com:443"},
            "matrix_hostname 'matrix.example.com:443' has a port; "
            "write only the name, matrix.example.com.",
            id="host name with a port",
        ),
        pytest.param(
            {"components": ["jitsy"]},
            "matrix_components lists the unknown component 'jitsy'; choose from jitsi, "
            "postmoogle, heisenbridge, wireguard, dnsmasq or admin_ui.",
            id="unknown component",
        ),
        pytest.param(
            {"components": ["jitsi", "jitsi"]},
            "matrix_components lists 'jitsi' 2 times; list it once.",
            id="component twice",
        ),
        pytest.param(
            {**BRIDGE, "components": ["heisenbridge", "heisenbridge"]},
            "matrix_components lists 'heisenbridge' 2 times; list it once.",
            id="bridge twice",
        ),
        pytest.param(
            {"components": ["heisenbridge"]},
            "matrix_bridge_admins is empty, so 'heisenbridge' would obey whoever talks to it "
            "first; list your Matrix ID, like '@you:example.com'.",
            id="bridge without an administrator",
        ),
        pytest.param(
            {**BRIDGE, "bridge_admins": ["@alice:example.com", "alice@example.com"]},
            "matrix_bridge_admins is wrong: 'alice@example.com' is not a Matrix ID like "
            "@user:example.com.",
            id="administrator who has only an e-mail address",
        ),
        pytest.param(
            {"bridge_admins": ["@alice:exa mple.com"]},
            "matrix_bridge_admins is wrong: the Matrix ID '@alice:exa mple.com' is wrong: "
            "'exa mple.com' is not a host name: between dots stand 1 to 63 ASCII letters, digits "
            "and hyphens.",
            id="administrator of no server",
        ),
        pytest.param(
            {"bridge_admins": "@alice:example.com"},
            "matrix_bridge_admins must be a list, not a text.",
            id="administrators that are no list",
        ),
        pytest.param(
            {**BRIDGE, "heisenbridge_identd": "perhaps"},
            "heisenbridge_identd cannot be 'perhaps'; write true or false.",
            id="neither with ident nor without",
        ),
        pytest.param(
            {**BRIDGE, "extra_ports": [{"protocol": "tcp", "first": 113}]},
            "113/tcp (Ident: who is who on IRC) collides with firewall_extra_ports 113/tcp "
            "(Opened by the operator); choose another port for one of them.",
            id="a port of the bridge's for something else",
        ),
        pytest.param(
            {**BRIDGE, "bridge_admins": ["@*:example.com"]},
            "matrix_bridge_admins has '@*:example.com', in which * would stand for everybody; list "
            "each Matrix ID.",
            id="everybody an administrator",
        ),
        pytest.param(
            {**MAIL, "postmoogle_domains": []},
            "postmoogle_domains is empty, so there is no e-mail for 'postmoogle' to take; list the "
            "domain after the @ of its addresses, like mail.example.com, whose mail comes to no "
            "other server.",
            id="e-mail bridge without a domain",
        ),
        pytest.param(
            {**MAIL, "postmoogle_domains": "mail.example.com"},
            "postmoogle_domains must be a list, not a text.",
            id="a domain for e-mail that is no list",
        ),
        pytest.param(
            {**MAIL, "postmoogle_domains": ["info@mail.example.com"]},
            "postmoogle_domains 'info@mail.example.com' has a user before the @; "
            "write only the name, mail.example.com.",
            id="an address in place of the domain for e-mail",
        ),
        pytest.param(
            {**MAIL, "postmoogle_domains": ["a.example.com", "a.example.com"]},
            "postmoogle_domains lists 'a.example.com' more than once; list it once.",
            id="a domain for e-mail twice",
        ),
        pytest.param(
            {**MAIL, "postmoogle_sha256": ""},
            "postmoogle_sha256 is not set; write the 64 hexadecimal digits in small letters that "
            "sha256sum prints for the file of the release, or for postmoogle_file.",
            id="e-mail bridge without a checksum",
        ),
        pytest.param(
            {**MAIL, "postmoogle_sha256": "sha256:abc"},
            "postmoogle_sha256 cannot be 'sha256:abc'; write the 64 hexadecimal digits in small "
            "letters that sha256sum prints for the file of the release, or for postmoogle_file.",
            id="no checksum",
        ),
        pytest.param(
            {**MAIL, "postmoogle_file": True},
            "postmoogle_file cannot be True; write the path of the program, or nothing.",
            id="no path of the e-mail bridge",
        ),
        pytest.param(
            {**MAIL, "postmoogle_settings": {"relay_host": "smtp.example.com"}},
            "postmoogle_settings has the key 'relay_host'; write the name of a variable of "
            "Postmoogle's, like POSTMOOGLE_RELAY_HOST.",
            id="a setting that the e-mail bridge would not see",
        ),
        pytest.param(
            {**MAIL, "postmoogle_settings": {"POSTMOOGLE_RELAY_PASSWORD": "correct\nhorse"}},
            "POSTMOOGLE_RELAY_PASSWORD in postmoogle_settings must be one line of text or a "
            "number.",
            id="a setting of two lines, which is not named",
        ),
        pytest.param(
            {**MAIL, "extra_ports": [{"protocol": "tcp", "first": 25}]},
            "25/tcp (SMTP: e-mail from other servers) collides with firewall_extra_ports 25/tcp "
            "(Opened by the operator); choose another port for one of them.",
            id="the port for e-mail for something else",
        ),
        pytest.param(
            {**JITSI, "hostname": "jitsi.example.com"},
            "matrix_hostname cannot be 'jitsi.example.com', which is the name of 'jitsi'; "
            "choose another.",
            id="a component's name for the host",
        ),
        pytest.param(
            {**JITSI, "extra_ports": [{"protocol": "udp", "first": 9999, "last": 10001}]},
            "10000/udp (Jitsi: video) collides with firewall_extra_ports 9999-10001/udp "
            "(Opened by the operator); choose another port for one of them.",
            id="the port for video in a range for something else",
        ),
        pytest.param(
            {**JITSI, "extra_ports": [{"protocol": "tcp", "first": 5222}]},
            "firewall_extra_ports 5222/tcp (Opened by the operator) collides with 5222/tcp "
            "(Prosody: XMPP for Jitsi's services); choose another port for one of them.",
            id="a port for the services of Jitsi opened to everybody",
        ),
        pytest.param(
            {**JITSI, "well_known_client": {"io.element.jitsi": {"preferredDomain": "a.b"}}},
            "matrix_well_known_client cannot have the key 'io.element.jitsi', which follows from "
            "the rest of the description; take it out.",
            id="another conference server than ours",
        ),
        pytest.param(
            {**JITSI, "jitsi_authentication": "ldap"},
            "jitsi_authentication cannot be 'ldap'; choose off or internal.",
            id="an unknown way to authenticate",
        ),
        pytest.param(
            {**JITSI, "jitsi_authentication": "matrix"},
            "jitsi_authentication cannot be 'matrix': this release cannot ask Matrix who is a "
            "member; choose off or internal.",
            id="conferences for members of Matrix rooms",
        ),
        pytest.param(
            {**JITSI, "jitsi_bridge_memory_mb": "1G"},
            "jitsi_bridge_memory_mb cannot be '1G'; write a number from 256 to 65536.",
            id="memory with a unit",
        ),
        pytest.param(
            {**JITSI, "jitsi_archive_url": "download.jitsi.org"},
            "jitsi_archive_url cannot be 'download.jitsi.org'; write an address like "
            "https://example.com.",
            id="an archive without a scheme",
        ),
        pytest.param(
            {**JITSI, "jitsi_archive_fingerprint": "F1FD7806"},
            "jitsi_archive_fingerprint cannot be 'F1FD7806'; write all 40 hexadecimal digits of "
            "the key's fingerprint.",
            id="the short name of a key",
        ),
        pytest.param(
            {"components": ["synapse"]},
            "matrix_components lists 'synapse', which is part of every server; take it out.",
            id="component of every server",
        ),
        pytest.param(
            {"components": "jitsi"},
            "matrix_components must be a list, not a text.",
            id="components that are no list",
        ),
        pytest.param(
            {"reverse_proxy": "lighttpd"},
            "matrix_reverse_proxy cannot be 'lighttpd'; choose nginx.",
            id="unknown proxy",
        ),
        pytest.param(
            {"firewall": "iptables"},
            "matrix_firewall cannot be 'iptables'; choose nftables, ufw, firewalld or none.",
            id="unknown firewall",
        ),
        pytest.param(
            {"registration": "token"},
            "matrix_registration cannot be 'token'; choose invite, closed, email or open.",
            id="unknown mode",
        ),
        pytest.param(
            {"certificate": "letsencrypt"},
            "matrix_certificate cannot be 'letsencrypt'; choose acme, files or self_signed.",
            id="unknown certificate",
        ),
        pytest.param(
            {"registration": "email"},
            "matrix_registration 'email' needs matrix_smtp, the server that sends the messages; "
            "write {host: smtp.example.com, from: matrix@example.com}.",
            id="e-mail without a relay",
        ),
        pytest.param(
            {"smtp": {"from": "matrix@example.com"}},
            "matrix_smtp cannot have the host None; write only its name, like smtp.example.com.",
            id="relay without a host",
        ),
        pytest.param(
            {"smtp": {**SMTP, "host": "smtp.example.com:587"}},
            "matrix_smtp cannot have the host 'smtp.example.com:587'; "
            "write only its name, like smtp.example.com.",
            id="relay with a port in its host",
        ),
        pytest.param(
            {"smtp": {"host": "smtp.example.com"}},
            "matrix_smtp cannot have the sender None; write from like matrix@example.com.",
            id="relay without a sender",
        ),
        pytest.param(
            {"smtp": {**SMTP, "user": "matrix", "password": 12345678}},
            "The password of matrix_smtp must be one line of text; put it in quotes.",
            id="a password that is a number",
        ),
        pytest.param(
            {"smtp": {**SMTP, "password": "correct horse"}},
            "matrix_smtp has a password but no user.",
            id="a password of nobody",
        ),
        pytest.param(
            {"smtp": {**SMTP, "port": 0}},
            "The port of matrix_smtp cannot be 0; write a number from 1 to 65535.",
            id="relay with a wrong port",
        ),
        pytest.param(
            {"ssh_port": 443},
            "matrix_ssh_port 443/tcp (SSH) collides with 443/tcp (HTTPS: clients); "
            "choose another port for one of them.",
            id="ports that collide",
        ),
        pytest.param(
            {"ssh_port": "ssh"},
            "matrix_ssh_port cannot be 'ssh'; write a number from 1 to 65535.",
            id="port that is no number",
        ),
        pytest.param(
            {"max_upload_mb": 0},
            "matrix_max_upload_mb cannot be 0; write a number from 1 to 10240.",
            id="no upload",
        ),
        pytest.param(
            {"max_upload_mb": True},
            "matrix_max_upload_mb cannot be True; write a number from 1 to 10240.",
            id="truth is no number",
        ),
        pytest.param(
            {"serve_base_domain": "perhaps"},
            "matrix_serve_base_domain cannot be 'perhaps'; write true or false.",
            id="no truth value",
        ),
        pytest.param(
            {"addresses": ["matrix.example.com"]},
            "matrix_addresses cannot have 'matrix.example.com'; "
            "write addresses like 192.0.2.1 or 2001:db8::1.",
            id="name instead of an address",
        ),
        pytest.param(
            {"addresses": ["192.0.2.1", "10.0.0.5"]},
            "matrix_addresses cannot have '10.0.0.5', which nobody reaches from outside; write the "
            "public address, behind NAT the one that leads to this host, or leave the list empty.",
            id="an address behind NAT",
        ),
        pytest.param(
            {"support": {"contacts": [{"role": "m.role.admin"}]}},
            "matrix_support: Contact 1 has neither a matrix_id nor an email_address. Give each "
            "contact a role (m.role.admin or m.role.security) and a matrix_id, an email_address "
            "or both.",
            id="contact that cannot be reached",
        ),
        pytest.param(
            {"well_known_client": {"m.homeserver": {"base_url": "https://a.example"}}},
            "matrix_well_known_client cannot have the key 'm.homeserver', which follows from the "
            "rest of the description; take it out.",
            id="a key of ours",
        ),
        pytest.param(
            {"well_known_client": {"io.element.jitsi": {"preferredDomain": "https://a.b"}}},
            "matrix_well_known_client: Clients cannot use io.element.jitsi: preferredDomain is not "
            'a host name. Write {"preferredDomain": "<host>"}: a host name, no scheme, no path.',
            id="a key that clients cannot use",
        ),
        pytest.param(
            {"report_dir": ["x"]},
            "matrix_report_dir cannot be ['x']; write the path of a directory.",
            id="a list of directories",
        ),
        pytest.param(
            {"verify_ignore": ["certificate.expiri"]},
            "matrix_verify_ignore: 'certificate.expiri' is not a finding "
            "(did you mean 'certificate.expiry'?).",
            id="a finding that there is not",
        ),
        pytest.param(
            {"colour": "blue"}, "The filter site has no option 'colour'.", id="unknown option"
        ),
    ],
)
def test_what_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_description("example.com", given)


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        pytest.param({}, 0, id="none by default"),
        pytest.param({"ssh_rate_limit": 0}, 0, id="none"),
        pytest.param({"ssh_rate_limit": "0"}, 0, id="none as text"),
        pytest.param({"ssh_rate_limit": 5}, 5, id="lowest"),
        pytest.param({"ssh_rate_limit": "30"}, 30, id="text"),
        pytest.param({"ssh_rate_limit": 1000}, 1000, id="highest"),
    ],
)
def test_the_limit_of_ssh(given: dict[str, object], rate: int) -> None:
    assert read_description("example.com", given).ssh_rate_limit == rate


@pytest.mark.parametrize("rate", [-1, 1, 4, 1001, False, True, "fast", 7.5, None])
def test_a_limit_of_ssh_that_is_refused(rate: object) -> None:
    sentence = f"firewall_ssh_rate_limit cannot be {rate!r}; write "
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        read_description("example.com", {"ssh_rate_limit": rate})


def test_the_firewall_gets_the_limit_of_ssh() -> None:
    assert site("example.com", {"ssh_rate_limit": 30})["ssh_rate_limit"] == 30


def test_a_host_name_made_from_a_wrong_domain_is_not_a_second_fault() -> None:
    with pytest.raises(ValueError, match=r"^matrix_domain 'Example\.com' [^\n]*$"):
        read_description("Example.com", {"hostname": "matrix.Example.com"})


def test_all_faults_are_told_at_once() -> None:
    given = {"registration": "token", "ssh_port": 443, "components": ["foo", "bar"]}
    with pytest.raises(ValueError, match="matrix_domain") as raised:
        read_description("", given)
    assert len(str(raised.value).splitlines()) == 5


def test_every_input_has_its_variable() -> None:
    assert variable("sources") == "firewall_sources"
    assert variable("ssh_rate_limit") == "firewall_ssh_rate_limit"
    assert variable("hostname") == "matrix_hostname"
    assert all(variable(name).endswith(name) for name in DEFAULTS)
