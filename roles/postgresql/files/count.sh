#!/bin/sh
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints how many rows each table holds and where each sequence stands, in every database of a cluster.
set -eu
IFS='
'
export PGHOST=/run/postgresql PGPORT="$1"
ask() { psql --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"; }

databases=$(ask postgres 'select datname from pg_database where datallowconn order by 1')
for database in $databases; do
    echo "database $database"
    ask "$database" "
        select format('%I.%I', schemaname, tablename) as name,
            (xpath('/row/number/text()', query_to_xml(
                format('select count(*) as number from %I.%I', schemaname, tablename), false, true, '')))[1]::text
        from pg_tables where schemaname not in ('pg_catalog', 'information_schema')
        union all
        select format('%I.%I', schemaname, sequencename), last_value::text from pg_sequences
        order by name"
done
