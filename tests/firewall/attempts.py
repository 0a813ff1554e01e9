# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attempts to lock the controller out: what is done to a host, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SECONDS = 10
FOLDER = "/run/homestead-firewall"
TOO_LATE = "no new connection confirmed the new rules in time"
TUNNELS = [{"protocol": "udp", "first": port, "purpose": "A tunnel"} for port in (4789, 51820)]
KEPT = [{"protocol": "tcp", "first": 7776, "purpose": "A test"}, *TUNNELS]
EXTRA = [{"protocol": "tcp", "first": 7777, "purpose": "Another test"}]
FIREWALLS = ("nftables", "ufw", "firewalld")

_NFTABLES = """\
table inet homestead
delete table inet homestead
table inet homestead {
    chain input {
        type filter hook input priority filter; policy drop;
        %s
    }
}
"""
_UFW = """\
*filter
:{ufw}-user-input - [0:0]
:{ufw}-before-logging-input - [0:0]
### RULES ###

### tuple ### allow tcp 1 any any any in
{rule}

### END RULES ###
COMMIT
"""
_ZONE = '<?xml version="1.0" encoding="utf-8"?>\n<zone target="%s"/>\n'


def _rules(nftables: str, ufw: str, target: str) -> dict[str, Any]:
    """Return what stands in the place of our rules, for each firewall."""
    both = {"user.rules": "ufw", "user6.rules": "ufw6"}
    texts = {
        "nftables": {"firewall.nft": _NFTABLES % nftables},
        "ufw": {name: _UFW.format(ufw=chains, rule=ufw % chains) for name, chains in both.items()},
        "firewalld": {"zone.xml": _ZONE % target, "service.xml": "<service/>\n"},
    }
    packages = {"nftables": ["nftables"], "ufw": ["ufw"], "firewalld": ["firewalld"]}
    return {
        name: {"_firewall_backend": {"packages": packages[name], "rules": {name: text}}}
        for name, text in texts.items()
    }


NOBODY_NEW = _rules("ct state established accept", "# %s: nothing is admitted", "DROP")
NOBODY = _rules("", "-A %s-before-logging-input -j DROP", "DROP")
BROKEN = _rules("nonsense", "-A %s-user-input --nonsense", "NONSENSE")

WHEN_SAVED = f"until [ -e {FOLDER}/pending/ticket ]; do sleep 0.01; done; "
WHEN_LOADED = f"until [ -e {FOLDER}/pending/loaded ]; do sleep 0.01; done; "
WHEN_PROVEN = f"until [ -e {FOLDER}/proven/ticket ]; do sleep 0.01; done; "
# The proof's connection waits meanwhile: firewall-cmd takes longer than a proof.
HOLD_SSHD, FREE_SSHD = (f"pkill -{signal} --oldest --exact sshd; " for signal in ("STOP", "CONT"))
SLOW = "/usr/local/bin/slow"
KILL_MODULE = "pkill -KILL -x python3"
OPEN_BY_HAND = {
    "nftables": "nft add rule inet homestead ports tcp dport 9999 accept",
    "ufw": "iptables -A ufw-user-input -p tcp --dport 9999 -j ACCEPT",
    "firewalld": "firewall-cmd --quiet --add-port=9999/tcp",
}
BREAK_START = {
    "nftables": "d=/etc/systemd/system/homestead-firewall.service.d; mkdir -p $d; "
    "printf '[Service]\\nExecStartPre=/bin/false\\n' >$d/fail.conf; systemctl daemon-reload",
    "ufw": "mount --bind /bin/false /lib/ufw/ufw-init",
    "firewalld": "d=/etc/systemd/system/firewalld.service.d; mkdir -p $d; "
    "printf '[Service]\\nExecStartPre=/bin/false\\n' >$d/fail.conf; systemctl daemon-reload",
}
MEND_START = {
    "nftables": "rm -r /etc/systemd/system/homestead-firewall.service.d; systemctl daemon-reload",
    "ufw": "umount /lib/ufw/ufw-init",
    "firewalld": "rm -r /etc/systemd/system/firewalld.service.d; systemctl daemon-reload",
}
UNDOER = {
    "nftables": "/usr/sbin/nft",
    "ufw": "/usr/sbin/iptables-restore",
    "firewalld": "/usr/bin/firewall-cmd",
}


def _same(script: str) -> dict[str, str]:
    return dict.fromkeys(FIREWALLS, script)


NOTHING = _same("")
ENDS = {"server": "10.9.0.1", "stranger": "10.9.0.2"}
Way = Literal["udp", "tcp", "gre", "vxlan"]


@dataclass(frozen=True)
class Attempt:
    """One way to lock the controller out, and the words with which the run explains its end.

    The play gets the variables, and for its firewall those of ``rules``. Beside it, on the host,
    runs a script. ``before`` and ``after`` prepare the host and mend it. With a ``tunnel`` the
    controller comes through one that ends on the host itself.
    """

    says: str
    variables: dict[str, Any] = field(default_factory=lambda: {"firewall_extra_ports": EXTRA})
    rules: dict[str, Any] = field(default_factory=lambda: _rules_of_ours)
    before: dict[str, str] = field(default_factory=lambda: NOTHING)
    beside: dict[str, str] = field(default_factory=lambda: NOTHING)
    after: dict[str, str] = field(default_factory=lambda: NOTHING)
    starts: Literal["ours", "bare"] = "ours"
    ends: Literal["old", "new"] = "old"
    only: tuple[str, ...] = FIREWALLS
    tunnel: Way | None = None

    @property
    def is_alike(self) -> bool:
        """Whether it says the same to every firewall."""
        told = (self.rules, self.before, self.beside, self.after)
        return all(words[FIREWALLS[0]] == words[name] for words in told for name in FIREWALLS)


_rules_of_ours: dict[str, Any] = {name: {} for name in FIREWALLS}
OTHER = {"nftables": "ufw", "ufw": "firewalld", "firewalld": "nftables"}
_CUT = (
    "nft 'add table inet cut; add chain inet cut everything "
    "{ type filter hook prerouting priority -500; policy drop; }'; "
    "sleep 14; nft delete table inet cut"
)
_FULL_VAR = (
    "cp -a /var/lib/homestead /tmp/kept; mount -t tmpfs -o size=64k none /var/lib/homestead; "
    "cp -a /tmp/kept/. /var/lib/homestead; rm -r /tmp/kept; "
    "cat /dev/zero >/var/lib/homestead/filler 2>/dev/null || true"
)

ALL_BUT_SSH = "-p tcp -m multiport ! --dports 22 -j REJECT"
THEIR_TABLE = (
    "table inet theirs { chain input { type filter hook input priority 10; policy drop; "
    "iif lo accept; ct state established,related accept; tcp dport 22 accept; }; }"
)


def _without(tunnel: Way, *, says: str, starts: Literal["ours", "bare"] = "bare") -> Attempt:
    """Come through a tunnel that new rules do not let in."""
    return Attempt(says=f"packets came to {says}", starts=starts, tunnel=tunnel)


ATTEMPTS = {
    # Refused before anything changes.
    "the inventory names another ssh port": Attempt(
        says="ssh listens on tcp 22", variables={"matrix_ssh_port": 2222}
    ),
    "the connection comes through another port": Attempt(
        says="would cut off this very connection: ssh listens on tcp 2222",
        variables={"ansible_port": 2222, "matrix_ssh_port": 22},
        before=_same("/usr/sbin/sshd -p 2222 -o PidFile=/run/other-sshd.pid"),
        after=_same("kill $(cat /run/other-sshd.pid)"),
        starts="bare",
    ),
    "ssh is for networks without the controller": Attempt(
        says="do not open tcp 22 to this controller",
        variables={"firewall_sources": {"ssh": ["192.0.2.0/24", "2001:db8:ffff::/48"]}},
    ),
    "ssh is for IPv6 alone, the controller has IPv4": Attempt(
        says="do not open tcp 22 to this controller",
        variables={"firewall_sources": {"ssh": ["2001:db8::/32"]}},
    ),
    "sshd will move with its next start": Attempt(
        says="as soon as sshd restarts",
        before=_same("echo Port 2222 >/etc/ssh/sshd_config.d/move.conf"),
        after=_same("rm /etc/ssh/sshd_config.d/move.conf"),
    ),
    "broken rules": Attempt(says="refuses the new rules", rules=BROKEN),
    "no room to save the former rules": Attempt(
        says="No space left on device",
        before=_same(
            f"mkdir -p {FOLDER}; mount -t tmpfs -o size=4k none {FOLDER}; "
            f"cat /dev/zero >/{FOLDER}/filler 2>/dev/null || true"
        ),
        after=_same(f"umount {FOLDER}"),
    ),
    "the undoing cannot be armed": Attempt(
        says="systemd-run",
        before=_same("mount --bind /bin/false /usr/bin/systemd-run"),
        after=_same("umount /usr/bin/systemd-run"),
    ),
    "the system's manager does not answer": Attempt(
        says="",
        before=_same("mount --bind /bin/false /usr/bin/systemctl"),
        after=_same("umount /usr/bin/systemctl"),
    ),
    # Undone by the run itself.
    "the firewall does not start": Attempt(
        says="", before=BREAK_START, after=MEND_START, starts="bare"
    ),
    "no room to keep the new rules": Attempt(
        says="the new rules could not be kept",
        before=_same(_FULL_VAR),
        after=_same("umount /var/lib/homestead"),
    ),
    "somebody changes the rules in the meantime": Attempt(
        says="somebody else changed the rules in the meantime",
        beside={
            name: f"{WHEN_SAVED}{HOLD_SSHD}{WHEN_LOADED}{hand}; {FREE_SSHD}"
            for name, hand in OPEN_BY_HAND.items()
        },
    ),
    # Undone by the host.
    "rules that let in nobody new": Attempt(says=TOO_LATE, rules=NOBODY_NEW),
    "rules that drop everything": Attempt(says=TOO_LATE, rules=NOBODY, only=("nftables", "ufw")),
    "another firewall that lets in nobody new": Attempt(
        says=TOO_LATE, rules={name: NOBODY_NEW[other] for name, other in OTHER.items()}
    ),
    "the network goes down after the change": Attempt(
        says=TOO_LATE, beside=_same(WHEN_SAVED + _CUT)
    ),
    "sshd dies after the change": Attempt(
        says=TOO_LATE,
        beside=_same(WHEN_SAVED + "systemctl stop ssh; sleep 14; systemctl start ssh"),
    ),
    "the undoing fails at first": Attempt(
        says=TOO_LATE,
        rules=NOBODY_NEW,
        beside={
            name: f"{WHEN_LOADED}mount --bind /bin/false {program}; sleep 14; umount -l {program}"
            for name, program in UNDOER.items()
        },
    ),
    "loading takes longer than the undoing waits": Attempt(
        says="did not end in time",
        before=_same(
            "printf '#!/bin/sh\\nsleep 100\\n' >/usr/local/bin/slow; chmod 755 /usr/local/bin/slow"
        ),
        beside={
            name: f"{WHEN_SAVED}mount --bind {SLOW} {program}; sleep 14; umount -l {program}"
            for name, program in UNDOER.items()
        },
    ),
    "the module is killed while it loads": Attempt(says="", beside=_same(WHEN_SAVED + KILL_MODULE)),
    # Undone by the host, because only state lets the controller in.
    "the port of a tunnel is closed again": _without("udp", says="udp 51820", starts="ours"),
    "a tunnel over TCP lives on": _without("tcp", says="tcp 51820"),
    "a tunnel over GRE lives on": _without("gre", says="protocol gre"),
    "the port of a tunnel of the kernel's": _without("vxlan", says="udp 4789", starts="ours"),
    "a tunnel over UDP lives on": _without("udp", says="udp 51820"),
    "a tunnel is let in": Attempt(
        says="",
        variables={"firewall_extra_ports": [*TUNNELS, {"protocol": "gre"}]},
        starts="bare",
        ends="new",
        tunnel="udp",
    ),
    # Finished by the next run.
    "the module is killed while it keeps the rules": Attempt(
        says="", beside=_same(WHEN_PROVEN + KILL_MODULE), ends="new"
    ),
    # Put right.
    "somebody has opened a port by hand": Attempt(
        says="- tcp 9999", before=OPEN_BY_HAND, ends="new"
    ),
    "somebody has closed ssh for new connections by hand": Attempt(
        says="",
        before={
            "nftables": "nft insert rule inet homestead ports tcp dport 443 drop",
            "ufw": "iptables -I ufw-user-input -p tcp --dport 443 -j DROP",
            "firewalld": "firewall-cmd --quiet --remove-service=homestead-matrix --add-service=ssh",
        },
        ends="new",
    ),
    # Refused, because rules of others would shut out what ours let in.
    "iptables rejects all but ssh": Attempt(
        says="the chain INPUT of iptables shuts out tcp 80, tcp 443",
        before=_same(f"iptables -I INPUT {ALL_BUT_SSH}"),
        after=_same(f"iptables -D INPUT {ALL_BUT_SSH}"),
    ),
    "a table of nftables drops all but ssh": Attempt(
        says="the chain input of the table inet theirs of nftables shuts out tcp 80, tcp 443",
        before=_same(f"nft '{THEIR_TABLE}'"),
        after=_same("nft delete table inet theirs"),
    ),
}
