# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose PostgreSQL already serves an application, one with two clusters, one with none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab

COMMON = "/etc/postgresql-common"
INSTALL = (
    "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qqy postgresql >/dev/null"
)
# As many applications do it: over TCP, with a password, at the usual address.
APPLICATION = """
runuser -u postgres -- psql -qp {port} -c "create role app login password 'east'" \
  -c 'create database app owner app'
export PGPASSWORD=east
psql -qh 127.0.0.1 -p {port} -U app app -c 'create table visits as select 7 as number'
"""
SEEN_BY_IT = """
export PGPASSWORD=east
psql -Ath 127.0.0.1 -p {port} -U app app -c 'select number from visits' \
  -c "select name, setting from pg_settings where name in ('port', 'listen_addresses', 'jit',
      'max_connections', 'shared_buffers') order by 1" -c 'select pg_postmaster_start_time()'
"""
TWO_CLUSTERS = """
pg_dropcluster --stop 15 main
pg_createcluster --port=5432 --start 15 app >/dev/null
pg_createcluster --port=5433 --start 15 main >/dev/null
"""
LISTENING = "runuser -u postgres -- psql -Atp {port} -c 'show listen_addresses'"
ACCOUNTS = "runuser -u matrix-synapse -- psql -Atp {port} synapse -c 'select count(*) from users'"


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Give a bare host of the release that the test asks for."""
    lab = Lab("databases")
    lab.up(release=request.param, only=("ns", "matrix"))
    yield lab
    lab.down()


def provision(lab: Lab, *options: str) -> None:
    """Make the database and the homeserver; the second time nothing changes."""
    assert (made := lab.play("site", *options)).status == 0, made.output[-4000:]
    again = lab.play("site", *options)
    assert again.recap("matrix")["changed"] == 0, again.output[-4000:]


@pytest.mark.parametrize("lab", ["13"], indirect=True)
def test_an_application_sees_no_change(lab: Lab) -> None:
    """Its cluster is Debian's own, so ours is another one, with another port."""
    lab.shell("matrix", INSTALL + APPLICATION.format(port=5432))
    before = lab.shell("matrix", SEEN_BY_IT.format(port=5432))
    provision(lab, "--tags", "postgresql,synapse")
    assert lab.shell("matrix", SEEN_BY_IT.format(port=5432)) == before
    assert int(lab.shell("matrix", ACCOUNTS.format(port=5433))) > 0
    lab.reboot("matrix")
    assert lab.shell("matrix", SEEN_BY_IT.format(port=5432)).startswith("7\n")
    assert lab.play("site", "--tags", "postgresql,synapse").recap("matrix")["changed"] == 0


@pytest.mark.parametrize("lab", ["12"], indirect=True)
def test_of_two_clusters_the_empty_one_is_ours(lab: Lab) -> None:
    lab.shell("matrix", INSTALL + TWO_CLUSTERS + APPLICATION.format(port=5432))
    before = lab.shell("matrix", SEEN_BY_IT.format(port=5432))
    provision(lab, "--tags", "postgresql")
    assert lab.shell("matrix", SEEN_BY_IT.format(port=5432)) == before
    assert lab.shell("matrix", LISTENING.format(port=5433)) == "\n"


@pytest.mark.parametrize("lab", ["12"], indirect=True)
def test_a_host_on_which_packages_make_no_cluster(lab: Lab) -> None:
    lab.shell(
        "matrix", f"mkdir -p {COMMON}; echo create_main_cluster=off > {COMMON}/createcluster.conf"
    )
    provision(lab, "--tags", "postgresql")
    assert lab.shell("matrix", LISTENING.format(port=5432)) == "\n"
