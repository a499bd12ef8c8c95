"""Measure how fast the duty page answers: `python -m benchmarks.duty`.

Two years of invented feeds (synthetic: no department's), 33 of them daily and each owed by 90 counties, with an attempt
to land and to load each delivery; a build has released all but the last day's. Each page is asked for over HTTP in this
process; the peer is the page's own style, which asks nothing of anybody. The bar is 300 ms a page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

import psycopg
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from benchmarks.reporting import SIZES, fill
from benchmarks.warehouse import temporary_warehouse
from tests.integration.release.small_marts import small_manifest
from threegaps.duty.access import Viewer
from threegaps.duty.app import make_app
from threegaps.release.served import apply_served
from threegaps.settings import Settings

BAR_MS = 300
PEER = "/duty/static/duty.css"
PAGES = ("", "feeds", "refused", "counties", "counties/330102", "release")
_ATTEMPTS = """
insert into ops.attempt (feed, step, delivery, run_id, try_number, started_at, ended_at, outcome)
select b.feed, step, b.delivery, 'scheduled__' || b.delivery, 1, b.finished_at, b.finished_at, 'succeeded'
from ops.batch as b cross join unnest(array['land', 'load']) as step order by b.batch_id
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
        fill(connection, SIZES[options.size])
        connection.execute(_ATTEMPTS)
        connection.execute(_RELEASED)
        apply_served(dsn, small_manifest())
        connection.execute("vacuum (analyze)")
        rows = connection.execute(
            "select (select count(*) from ops.expected_delivery), (select count(*) from ops.attempt)"
        ).fetchone()
        print(f"{options.size}: {rows and rows[0]} rows owed, {rows and rows[1]} attempts")
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
        names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "DATABASE": "dbname"}
        environment = {f"THREEGAPS_WAREHOUSE_{name}": str(parts[part]) for name, part in names.items()}
        settings = Settings.load({**os.environ, **environment, "THREEGAPS_HOME": str(folder)})
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
