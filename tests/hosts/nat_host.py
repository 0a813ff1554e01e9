# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare lab host with a closed firewall, and a container to which the rules of Docker lead."""

from __future__ import annotations

from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab

# What Docker 20 loads for -p 8088:80 -p 127.0.0.1:8089:80 -p 7000-7001:7000-7001/udp.
_IPTABLES = """\
iptables-restore --noflush <<'END'
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8088 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 8089 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER ! -i docker0 -p udp -m udp --dport 7001 -j DNAT --to-destination 172.17.0.2:7001
-A DOCKER ! -i docker0 -p udp -m udp --dport 7000 -j DNAT --to-destination 172.17.0.2:7000
COMMIT
END
"""  # noqa: E501 - as Docker writes it
# What Docker 29 loads for the same, if it is told to use nftables.
_NFTABLES = """\
nft -f - <<'END'
table ip docker-bridges {
    chain nat-OUTPUT {
        type nat hook output priority -100; policy accept;
        ip daddr != 127.0.0.0/8 fib daddr type local counter jump nat-prerouting-and-output
    }
    chain nat-PREROUTING {
        type nat hook prerouting priority -100; policy accept;
        fib daddr type local counter jump nat-prerouting-and-output
    }
    chain nat-prerouting-and-output {
        iifname != "docker0" tcp dport 8088 counter dnat to 172.17.0.2:80 comment "DNAT"
        iifname != "docker0" ip daddr 127.0.0.1 tcp dport 8089 counter dnat to 172.17.0.2:80 comment "DNAT"
        iifname != "docker0" udp dport 7000 counter dnat to 172.17.0.2:7000 comment "DNAT"
        iifname != "docker0" udp dport 7001 counter dnat to 172.17.0.2:7001 comment "DNAT"
    }
}
END
"""  # noqa: E501 - as Docker writes it
PUBLISH = {"iptables": _IPTABLES, "nftables": _NFTABLES}
_WITHDRAW = """\
for place in PREROUTING OUTPUT; do
    rule=$(iptables -t nat -S $place | sed -n 's/^-A \\(.*-j DOCKER\\)$/\\1/p')
    test -z "$rule" || iptables -t nat -D $rule
done
iptables -t nat -F DOCKER 2>/dev/null; iptables -t nat -X DOCKER 2>/dev/null
nft delete table ip docker-bridges 2>/dev/null; true
"""
_SETUP = """\
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --no-install-recommends iptables nftables >/dev/null
ip link add docker0 type bridge
ip address add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip netns add container
ip link add veth0 type veth peer name eth0 netns container
ip link set veth0 master docker0 up
ip -n container address add 172.17.0.2/16 dev eth0
ip -n container link set eth0 up
ip -n container route add default via 172.17.0.1
systemd-run --quiet --property NetworkNamespacePath=/run/netns/container python3 -m http.server 80
for _ in $(seq 50); do
    ip netns exec container ss -Hlnt sport = :80 | grep -q . && break
    sleep 0.1
done
nft -f - <<'END'
table inet closed {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport 22 accept
    }
}
END
"""


class NatHost(Lab):
    """The host, alone in a lab with its name server."""

    @classmethod
    def made(cls, release: str) -> NatHost:
        host = cls(f"nat{release}")
        host.up(release=release, only=("ns", "matrix"))
        host.shell("matrix", f"set -e\n{_SETUP}")
        return host

    def publish(self, way: str) -> None:
        """Let the rules of Docker lead to the container, in one of its two ways."""
        self.shell("matrix", _WITHDRAW)
        self.shell("matrix", PUBLISH[way])

    def look(self, **variables: Any) -> dict[str, Any]:
        """Run the module `host` as an operator does it, and return its result."""
        return self.module("matrix", "homestead.matrix.host", server_name=DOMAIN, **variables)

    def said(self, name: str, **variables: Any) -> str:
        """Run a playbook of ours, and return what it prints."""
        run = self.play(name, **variables)
        assert run.status == 0, run.output
        return run.output
