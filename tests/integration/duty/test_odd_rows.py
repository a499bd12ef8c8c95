"""Rows of the ledger that are not as this version writes them: each page says what it can, and stands.

Every column that the schema lets be null is so, every text is a code of a newer version or a megabyte long, every JSON
has another form, every moment is one that no calendar has: one column of a table at a time, and every page is asked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import Warehouses
from tests.integration.duty.conftest import FEED, Desk, desk_over
from tests.integration.ledger.conftest import be_on
from tests.integration.ledger.sent import at, send
from tests.integration.release.small_marts import A, B, P, make_build_schema, new_batch, release, small_manifest
from threegaps.contracts.loader import find_contract
from threegaps.duty import asking, rendering
from threegaps.ledger import expected, owing
from threegaps.ledger.batches import recount
from threegaps.one_machine.postgres import PostgresServer
from threegaps.release import undo
from threegaps.standards.areas import codes_in_force
from threegaps.warehouse.quarantine import UNKNOWN_REASON

pytestmark = pytest.mark.integration

BY_COUNTY = "organisation/prosperity_workshops"
COUNTY = sorted(codes_in_force())[0]
MOST_BYTES = 600_000
CODE, CODES = "repeat('新', 2000)", "'{no_such,null}'"
FORMS = [
    f"'{form}'::jsonb"
    for form in (
        "null",
        "{}",
        '"x"',
        "[1]",
        "[null]",
        "[{}]",
        '[{"rule": 1, "column": {}, "message_zh": [], "message_en": null}]',
        '{"wage_cny_month": {"a": 1}, "county_code": 3}',
    )
]
NEWER = {CODE, CODES, *FORMS}
"""What a newer version may write."""
TABLES = (
    "ops.acceptance",
    "ops.acceptance_request",
    "ops.attempt",
    "ops.batch",
    "ops.build",
    "ops.check_result",
    "ops.delivery_clock",
    "ops.delivery_summary",
    "ops.expected_delivery",
    "ops.feed",
    "ops.feed_totals",
    "ops.hold",
    "ops.incident",
    "ops.incident_change",
    "ops.landed_object",
    "ops.release",
    "ops.reporting_pause",
    "ops.ticket",
    "ops.touch",
    "ops.watch_pass",
    "quarantine.refused_row",
)
KEYS_ALONE = {"ops.batch_object", "ops.build_input", "ops.current_release", "ops.indicator_input", "ops.ticket_row"}
"""They hold nothing but keys of others."""
PAGES = (
    "/duty/",
    "/duty/feeds",
    f"/duty/feeds/{FEED}",
    f"/duty/feeds/{FEED}/2026-05",
    f"/duty/feeds/{FEED}/2026-05?rule=wage_cny_month_range&county=330106",
    f"/duty/feeds/{BY_COUNTY}",
    "/duty/refused",
    "/duty/tickets/1",
    f"/duty/feeds/{FEED}/refused.xlsx",
    "/duty/counties",
    f"/duty/counties?feed={BY_COUNTY}",
    f"/duty/counties/{COUNTY}",
    "/duty/release",
)


def fill(desk: Desk) -> None:
    """Something of all that pages show."""
    desk.know_feed()
    desk.owe(4, first_arrived_at=dt.datetime(2026, 5, 10, tzinfo=dt.UTC), rows=100)
    desk.owe(5)
    contract = replace(find_contract(desk.settings.contracts_folder, BY_COUNTY), first_delivery="2025Q4")
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        be_on(connection, "2026-01-01")
        owing.enter(connection, contract)
        connection.execute("update ops.feed set known_since = '2025-09-01'")
        be_on(connection, "2026-06-22")
        owing.enter(connection, contract)
        rows = [(code, 3) for code in codes_in_force() if code != COUNTY]
        send(connection, contract, "2025Q4", at("2026-01-15"), counties=rows)
        send(connection, contract, "2026Q1", at("2026-04-15"), counties=rows)
    first = desk.batch("2026-04", refused=1)
    stopped = desk.batch("2026-05", "stopped", refused=2, stop_rule="shrinks", message_zh="少", message_en="fewer")
    token = desk.refuse(first, 1)
    desk.refuse(stopped, 1)
    desk.refuse(stopped, 2)
    desk.enter(
        "insert into ops.acceptance (landed_object_id, batch_id, rules, accepted_by, reason, accepted_at)"
        " select landed_object_id, batch_id, array['delivery_shrunk'], 'li', 'meant', now() from ops.batch_object"
        " where batch_id = %s",
        stopped,
    )
    desk.enter(
        "insert into ops.acceptance_request (batch_id, rule, accepted_by, reason, taken_up_at, why_not)"
        " values (%s, 'shrinks', 'li', 'meant', now(), 'Something has arrived since.')",
        stopped,
    )
    for batch in (first, stopped):
        desk.enter(
            "insert into ops.check_result (batch_id, rule, expectation, column_name, action, evaluated, unexpected,"
            " outcome, is_certified) values (%s, 'wage_cny_month_range', 'e', 'wage_cny_month', 'refuse', 100, 2,"
            " 'refused_rows', true)",
            batch,
        )
    for outcome in ("failed", "failed"):
        desk.enter(
            "insert into ops.attempt (feed, step, delivery, run_id, started_at, ended_at, outcome, cause, message_zh,"
            " message_en, host, port) values (%s, 'land', '2026-05', 'r', now(), now(), %s, 'unreachable', '连不上',"
            " 'no answer', 'h', 22)",
            FEED,
            outcome,
        )
    desk.enter(
        "insert into ops.ticket (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256)"
        " values (%s, 1, 'li', 'li', now(), 'f.xlsx', repeat('0', 64))",
        FEED,
    )
    desk.enter("insert into ops.ticket_row (ticket_id, row_token, batch_id) values (1, %s, %s)", token, first)
    incident = desk.incident(indicator_codes=["M01-3"], marts=["action_1_bright_future"])
    for change in ("opened", "acknowledged"):
        desk.enter(
            "insert into ops.incident_change (incident_id, change, changed_at, changed_by, note)"
            " values (%s, %s, now(), 'li', 'n')",
            incident,
            change,
        )
    desk.enter("insert into ops.watch_pass (compared_at) values (now())")
    desk.enter(
        "insert into ops.reporting_pause (feed, county_code, kind, paused_from, paused_to, reason, recorded_by)"
        " values (%s, '', 'pause', '2020-01-01', '2020-02-01', 'w', 'li')",
        FEED,
    )
    make_build_schema(desk.dsn)
    desk.enter("create table core.seed_indicator (indicator_code text, name_zh text, name_en text, action_code text)")
    desk.enter("insert into core.seed_indicator values ('M01-3', '培训人次', 'Trainings', 'x')")
    release(desk.dsn, {A: 20, B: 30, P: 50}, batches=[new_batch(desk.dsn)])
    release(desk.dsn, {A: 99, B: 30, P: 129}, batches=[new_batch(desk.dsn)])
    undo.undo(desk.dsn, note="wrong", manifest=small_manifest())
    release(desk.dsn, {A: 98, B: 30, P: 128}, batches=[new_batch(desk.dsn)])
    new_batch(desk.dsn)
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        expected.summarise(connection, FEED)
        recount(connection, stopped)


@pytest.fixture(scope="module")
def desk(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        found = desk_over(warehouses.new(), tmp_path_factory.mktemp("odd"), patch)
        fill(found)
        yield found


@pytest.fixture(scope="module")
def asked(desk: Desk) -> dict[str, str]:
    """What each page asks the warehouse, once it shows all that there is."""
    said: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        said.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *more, **named)

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noting)
        for path in PAGES:
            said.clear()
            answer = answered(desk, path)
            assert answer.status_code == 200, path
            found[path] = "\n".join(said)
    return found


def answered(desk: Desk, path: str) -> Any:
    """A page as it is once two releases have been compared."""
    for _ in range(100):
        answer = desk.browser("reader").get(path)
        if "Refresh" not in answer.headers:
            return answer
        time.sleep(0.05)
    raise AssertionError("the releases are compared for ever")


@pytest.fixture(scope="module")
def keeper(desk: Desk, postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """Somebody whom no constraint holds, as if a newer version had other ones; each table is kept as it is."""
    name = str(conninfo_to_dict(desk.dsn)["dbname"])
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("create schema kept")
        for table in TABLES:
            connection.execute(f"create table kept.{table.replace('.', '_')} as table {table}".encode())
        yield connection


def columns(keeper: psycopg.Connection[Any], table: str) -> list[tuple[str, str, bool, bool]]:
    """Name, type, whether it may be null, and whether it is of a key, of the columns of a table."""
    return keeper.execute(
        "select a.attname, format_type(a.atttypid, null), not a.attnotnull, exists (select from pg_constraint as k"
        " where k.conrelid = a.attrelid and k.contype in ('p', 'u', 'f') and a.attnum = any(k.conkey))"
        " from pg_attribute as a where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped"
        " and a.attgenerated = '' order by a.attnum",
        [table],
    ).fetchall()


def spoils(kind: str, may_be_null: bool, is_key: bool) -> list[str]:
    """What a column of this type may hold that this version never writes, in SQL."""
    if is_key:
        return []
    found = {
        "text": [CODE],
        "text[]": [CODES],
        "jsonb": FORMS,
        "date": ["'infinity'", "'-infinity'"],
        "timestamp with time zone": ["'infinity'"],
        "integer": ["-1"],
        "bigint": ["-1"],
    }.get(kind, [])
    return [*(["null"] if may_be_null else []), *found]


@contextlib.contextmanager
def spoilt(keeper: psycopg.Connection[Any], table: str, column: str, value: str) -> Iterator[None]:
    """While every row of a table has another value in a column; what the schema forbids even then is left."""
    kept = f"kept.{table.replace('.', '_')}"
    names = ", ".join(f'"{name}"' for name, *_ in columns(keeper, table))
    keeper.execute(f'update {table} set "{column}" = {value}'.encode())
    try:
        yield
    finally:
        keeper.execute(f"delete from {table}".encode())
        keeper.execute(f"insert into {table} ({names}) overriding system value select {names} from {kept}".encode())


@pytest.mark.parametrize("table", TABLES)
def test_a_column_that_is_odd_fails_no_page(
    desk: Desk, keeper: psycopg.Connection[Any], asked: dict[str, str], table: str
) -> None:
    pages = [path for path in PAGES if re.search(rf"{table}\b", asked[path])]
    # What no page asks for no page shows.
    words = set(re.findall(r"\w+", " ".join(asked[path] for path in pages)))
    spoiling = [(one[0], value) for one in columns(keeper, table) if one[0] in words for value in spoils(*one[1:])]
    assert pages
    assert spoiling
    failed = []
    # Codes and forms of a newer version keep to its own checks, all else to those of this one.
    for column, value in sorted(spoiling, key=lambda one: one[1] in NEWER):
        if value in NEWER:
            drop_checks(keeper, table)
        with contextlib.suppress(psycopg.IntegrityError), spoilt(keeper, table, column, value):
            failed += [(column, value[:40], *one) for path in pages if (one := failure(desk, path))]
    assert failed == []


def failure(desk: Desk, path: str) -> tuple[object, ...] | None:
    """What is wrong with a page; None where it stands."""
    answer = desk.browser("reader").get(path)
    is_well = answer.status_code == 200 and len(answer.content) < MOST_BYTES
    return None if is_well else (path, answer.status_code, len(answer.content))


def drop_checks(keeper: psycopg.Connection[Any], table: str) -> None:
    """As if a newer version allowed more."""
    found = keeper.execute(
        "select conname from pg_constraint where contype = 'c' and conrelid = %s::regclass", [table]
    ).fetchall()
    for (name,) in found:
        keeper.execute(f'alter table {table} drop constraint "{name}"'.encode())


def test_every_table_that_pages_ask_is_tried(asked: dict[str, str]) -> None:
    said = " ".join(asked.values())
    assert set(re.findall(r"(?:ops|quarantine)\.\w+", said)) - KEYS_ALONE == set(TABLES)


def test_what_the_ledger_does_not_say_is_said_to_be_unknown(desk: Desk, keeper: psycopg.Connection[Any]) -> None:
    browser = desk.browser("reader")
    with spoilt(keeper, "quarantine.refused_row", "reasons", "'{}'"):
        page = browser.get(f"/duty/feeds/{FEED}/2026-05").text
        assert page.count(UNKNOWN_REASON[0]) == 2
        english = desk.browser("reader", Cookie="threegaps_language=en")
        assert english.get("/duty/refused").text.count("cannot tell") == 2
    with spoilt(keeper, "ops.batch", "refused", "null"):
        share = re.search(r'data-chart="refused".*?</figure>', browser.get(f"/duty/feeds/{FEED}").text, re.S)
        assert share is not None
        assert "无从判断" in share[0]
        assert "0.0%" not in share[0]
    with spoilt(keeper, "ops.ticket", "sent_at", "'infinity'"):
        line = re.search(r"data-ticket.*?</tr>", browser.get("/duty/refused").text, re.S)
        assert line is not None
        assert line[0].count("无从判断") == 2


def test_of_a_long_text_a_part_is_shown_and_of_many_rows_some(desk: Desk, keeper: psycopg.Connection[Any]) -> None:
    browser = desk.browser("reader")
    with spoilt(keeper, "ops.release", "note", "repeat('长', 350000)"):
        page = browser.get("/duty/release").text
        assert "… 另有349,000个字符" in page
        assert len(page) < MOST_BYTES
    desk.enter(
        "insert into ops.ticket (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256)"
        " select %s, 1, 'li', 'li', now(), 'f.xlsx', repeat('0', 64) from generate_series(1, 250)",
        FEED,
    )
    desk.enter(
        "insert into ops.ticket_row (ticket_id, row_token, batch_id) select t.ticket_id, r.row_token, r.batch_id"
        " from ops.ticket as t cross join ops.ticket_row as r where t.ticket_id > 1 and r.ticket_id = 1"
    )
    try:
        page = browser.get("/duty/refused").text
        assert page.count("data-ticket=") == 200
        assert re.search(r"另有 51 项未示.*?<code>threegaps quarantine tickets</code>", page)
    finally:
        for table in ("ticket_row", "ticket"):
            keeper.execute(f"delete from ops.{table} where ticket_id > 1".encode())


def test_a_page_that_is_too_large_or_too_slow_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.browser("reader")
    monkeypatch.setattr(rendering, "MOST_OF_PAGE", 2_000)
    answer = browser.get("/duty/release")
    assert (answer.status_code, "本页过大" in answer.text) == (503, True)
    monkeypatch.undo()
    monkeypatch.setattr(asking, "_LIMITS", "-c statement_timeout=1ms")
    with psycopg.connect(desk.dsn) as connection:
        connection.execute("lock table ops.feed in access exclusive mode")
        answer = browser.get("/duty/feeds")
    assert (answer.status_code, "未能及时应答" in answer.text) == (503, True)
