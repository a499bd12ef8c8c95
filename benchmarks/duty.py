"""Measure how fast the duty page answers: `python -m benchmarks.duty`.

Two years of invented feeds (synthetic: no department's), 33 of them daily and each owed by 90 counties, with an attempt
to land and to load each delivery, every rule's result in each batch, and reasons with each refused row; builds have
released all but the last day's, and two releases differ. One of the feeds has the name of a real one, whose contract
says what its page and its deliveries' show. Each page is asked for over HTTP in this process; the peer is the page's
own style, which asks nothing of anybody. The bar is 300 ms a page.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
import time

import psycopg
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from benchmarks.reporting import SIZES, fill
from benchmarks.warehouse import temporary_warehouse
from tests.integration.release.small_marts import A, B, P, make_build_schema, release
from threegaps.access import logins
from threegaps.contracts.loader import find_contract
from threegaps.duty.access import Viewer
from threegaps.duty.app import make_app
from threegaps.settings import Settings

BAR_MS = 300
PEER = "/duty/static/duty.css"
FEED = "hrss/training_enrollments"
DELIVERY = "2026-06-01"
PAGES = (
    "",
    "feeds",
    f"feeds/{FEED}",
    f"feeds/{FEED}/{DELIVERY}",
    "refused",
    "counties",
    "counties/330102",
    "release",
)
_OTHER_RULES = 20
"""So many rules each of the other feeds has."""
_ATTEMPTS = """
insert into ops.attempt (feed, step, delivery, run_id, try_number, started_at, ended_at, outcome)
select b.feed, step, b.delivery, 'scheduled__' || b.delivery, 1, b.finished_at, b.finished_at, 'succeeded'
from ops.batch as b cross join unnest(array['land', 'load']) as step order by b.batch_id
"""
# One batch in ten broke a rule.
_CHECKS = """
insert into ops.check_result (batch_id, rule, expectation, column_name, action, evaluated, unexpected, outcome,
    is_certified)
select b.batch_id, r.rule, 'expect_column_values_to_be_between', r.column_name, 'refuse', 100, u.unexpected,
    case u.unexpected when 0 then 'passed' else 'refused_rows' end, true
from ops.batch as b
join unnest(%(rules)s::text[], %(columns)s::text[]) with ordinality as r (rule, column_name, place)
    on b.feed = %(feed)s or r.place <= %(others)s
cross join lateral (
    select case when hashtext(b.batch_id || r.rule) %% 10 = 0 then 1 + abs(hashtext(r.rule)) %% 3 else 0 end
) as u (unexpected)
"""
# Each refused row broke two rules.
_REASONS = """
update quarantine.refused_row as q set row_data = jsonb_build_object('county_code', '330102', 'note', q.row_token),
    reasons = (
        select jsonb_agg(jsonb_build_object('rule', r.rule, 'column', r.column_name, 'message_zh', '该列超出范围',
            'message_en', 'the column is out of its range'))
        from unnest(%(rules)s::text[], %(columns)s::text[]) with ordinality as r (rule, column_name, place)
        where r.place %% %(others)s in (q.batch_id %% %(others)s, (q.batch_id + 7) %% %(others)s)
            and r.place <= %(others)s
    )
"""
# What nobody has released is looked through again on each page: of two years that is a day's work.
_RELEASED = """
with built as (
    insert into ops.build (status, kind, as_of, finished_at) values ('released', 'full', now(), now())
    returning build_id
)
insert into ops.build_input (build_id, batch_id)
select build_id, batch_id from built cross join ops.batch
where delivery_end < (select max(delivery_end) from ops.batch)
"""


def main() -> int:
    """Run the measurement that the command line asks for; 1 where a page misses the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duty", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="33 daily feeds by county")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with temporary_warehouse() as (dsn, folder), psycopg.connect(dsn, autocommit=True) as connection:
        fill(connection, SIZES[options.size], first=FEED)
        rules = find_contract(Settings.load().contracts_folder, FEED).rules
        named = {
            "feed": FEED,
            "rules": [one.rule for one in rules],
            "columns": [one.column for one in rules],
            "others": _OTHER_RULES,
        }
        connection.execute(_ATTEMPTS)
        connection.execute(_CHECKS, named)
        connection.execute(_REASONS, named)
        connection.execute(_RELEASED)
        make_build_schema(dsn)
        for value in (20, 99):
            release(dsn, {A: value, B: 30, P: value + 30}, batches=[])
        connection.execute("vacuum (analyze)")
        rows = connection.execute(
            "select (select count(*) from ops.expected_delivery), (select count(*) from ops.attempt),"
            " (select count(*) from ops.check_result), (select count(*) from quarantine.refused_row)"
        ).fetchone()
        owed, attempts, results, refused = rows or (0, 0, 0, 0)
        print(f"{options.size}: {owed} rows owed, {attempts} attempts, {results} results of rules, {refused} refused")
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
        names = {"HOST": "host", "PORT": "port", "DATABASE": "dbname"}
        environment = {f"THREEGAPS_WAREHOUSE_{name}": str(parts[part]) for name, part in names.items()}
        environment |= {"THREEGAPS_HOME": str(folder), "THREEGAPS_DUTY_PASSWORD": secrets.token_hex(16)}
        settings = Settings.load({**os.environ, **environment})
        # As on a server: the page asks by a login of its own.
        logins.keep_duty(dsn, settings.duty_password)
        application = Starlette(routes=[Mount("/duty", make_app(settings, lambda: Viewer("bench", may_write=True)))])
        return _measure(TestClient(application), options.rounds)


def _measure(client: TestClient, rounds: int) -> int:
    """Each page in turn about with the peer, after a first answer that nobody counts."""
    is_missed = False
    for page in (f"/duty/{one}" for one in PAGES):
        times = [(_seconds(client, page), _seconds(client, PEER)) for _ in range(rounds + 1)][1:]
        own = [one * 1000 for one, _ in times]
        ratio = statistics.median(page_seconds / peer for page_seconds, peer in times)
        missed = statistics.median(own) > BAR_MS
        is_missed = is_missed or missed
        print(
            f"  {page}: {statistics.median(own):.0f} ms ({min(own):.0f} to {max(own):.0f}), {ratio:.0f} times the style"
            f"{': more than ' + str(BAR_MS) + ' ms' if missed else ''}",
            flush=True,
        )
    return int(is_missed)


def _seconds(client: TestClient, path: str) -> float:
    start = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, path  # noqa: S101  # a page that fails is no measurement
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
