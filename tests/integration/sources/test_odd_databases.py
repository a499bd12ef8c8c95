"""Departmental databases as administrators keep them: rows that no window holds, settings that decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.odd_database import COLUMNS, SOURCE, Department, made
from tests.integration.sources.small_contract import CHANGES, CSV, FULL_LIST
from threegaps.errors import ContractError, FeedError, SettingsError, SourceUnavailableError
from threegaps.one_machine.postgres import PostgresServer

pytestmark = pytest.mark.integration


@pytest.fixture
def department(feed: SmallFeed, postgres: PostgresServer) -> Iterator[Department]:
    yield from made(feed, postgres)


# Case 14: rows that no window can hold.


def test_rows_that_no_window_can_hold_are_refused_by_name(feed: SmallFeed, department: Department) -> None:
    department.insert(1, "2026-05-01 00:00:00", "2026-06-30 23:59:59")
    strange = [
        None,
        None,
        None,
        "infinity",
        "-infinity",
        "2025-12-31 23:59:59",
        "2999-01-01",
        "12026-01-01",
        "0044-03-15 BC",
    ]
    department.insert(11, *strange)
    feed.run()
    assert feed.ids() == ["00000001", "00000002"]
    assert feed.landed() == ["outside", "window"]
    assert feed.counts() == [(9, 0, 9, 0), (2, 2, 0, 0)]
    rules = feed.refusals()
    assert rules["updated_at_required"] == 3
    assert rules["updated_at_reach"] + rules["updated_at_type"] == 6
    assert feed.ask("select watermark from ops.watermark") == [("2026-07-01 00:00:00",)]


def test_what_no_window_can_hold_is_refused_once_until_it_changes(feed: SmallFeed, department: Department) -> None:
    department.insert(1, "2026-05-01 00:00:00", None)
    feed.run()
    feed.run("2026-07")
    assert feed.landed() == ["outside", "window", "window"]
    department.insert(3, None)
    feed.run("2026-08")
    assert feed.landed() == ["outside", "window", "window", "outside", "window"]
    assert feed.counts()[-2:] == [(2, 0, 2, 0), (0, 0, 0, 0)]


def test_a_time_in_the_far_future_shadows_no_later_correction(feed: SmallFeed, department: Department) -> None:
    department.insert(1, "2999-12-31 00:00:00")
    feed.run()
    assert feed.ids() == []
    department.connection.execute("update public.rows set updated = '2026-07-05 08:00:00'")
    feed.run("2026-07")
    assert feed.ask(
        "select row_id, updated_at at time zone 'Asia/Shanghai' = '2026-07-05 08:00:00' from raw.test_rows"
    ) == [("00000001", True)]


def test_many_rows_that_no_window_can_hold_stop_the_feed_and_are_counted(
    feed: SmallFeed, department: Department
) -> None:
    feed.comes_by({**SOURCE, "mostUnordered": 2}, CHANGES, CSV)
    department.insert(1, None, None, None, "2026-05-01")
    with pytest.raises(FeedError, match="3 rows of the table") as told:
        feed.run()
    assert told.value.column == "updated_at"
    assert feed.landed() == []


# What the server's administrator has set.


def test_settings_of_the_server_decide_nothing(feed: SmallFeed, department: Department) -> None:
    department.table(COLUMNS.replace("updated timestamp", "updated timestamptz"))
    department.connection.execute(
        "insert into public.rows values ('1', '330106', '2026-05-01', '2026-06-30 23:30:00+08')"
    )
    department.connection.execute(
        "insert into public.rows values ('2', '330106', '2026-05-01', '2026-07-01 00:30:00+08')"
    )
    for setting in (
        "timezone = 'America/New_York'",
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "extra_float_digits = -15",
        "bytea_output = 'escape'",
        "client_encoding = 'GBK'",
        "search_path = 'nowhere'",
        "standard_conforming_strings = off",
        "statement_timeout = '150ms'",
        "default_transaction_isolation = 'read committed'",
    ):
        department.connection.execute(f"alter role {department.reader} set {setting}")
    # To read takes longer than the role may, and to set the session does not, however busy the machine is.
    department.connection.execute(
        "alter table public.rows rename to stored;"
        "create view public.rows as select stored.* from public.stored, pg_catalog.pg_sleep(0.3);"
        f"grant select on public.rows to {department.reader}"
    )
    feed.run()
    times = feed.ask("select row_id, (updated_at at time zone 'Asia/Shanghai')::text from raw.test_rows")
    assert times == [("1", "2026-06-30 23:30:00")]
    feed.run("2026-07")
    assert feed.ids() == ["1", "2"]


def test_values_of_every_type_come_as_texts_that_no_setting_changes(feed: SmallFeed, department: Department) -> None:
    department.table(
        COLUMNS + ", f float8, b bytea, m money, i interval, t timestamptz[], x bool, n numeric, line text"
    )
    feed.comes_by({**SOURCE}, FULL_LIST, CSV)
    department.connection.execute(
        "insert into public.rows values ('1', '330106', '2026-05-01', '2026-05-01', 0.1, '\\x00ff', 1234.5,"
        " '1 day 2:00', '{2026-01-01 00:00+00}', true, 1.10, E'two\\nlines')"
    )
    department.connection.execute(f"alter role {department.reader} set extra_float_digits = -15")
    feed.land()
    (uri,) = feed.ask("select uri from ops.landed_object")[0]
    text = Path(urlsplit(uri).path).read_text("utf-8")
    assert text.partition("\n")[2] == (
        "1,330106,2026-05-01,2026-05-01 00:00:00,0.1,\\x00ff,1234.50,P1DT2H,"
        '"{""2026-01-01 08:00:00+08""}",true,1.10,"two\nlines"\n'
    )


def test_a_server_that_converts_nothing_is_read_in_the_declared_encoding(
    feed: SmallFeed, postgres: PostgresServer
) -> None:
    for department in made(feed, postgres, "SQL_ASCII"):
        feed.comes_by(SOURCE, CHANGES, {**CSV, "encoding": "gb18030"})
        department.connection.execute(
            "insert into public.rows values (convert_from('\\xb2e2', 'SQL_ASCII'), '330106', '2026-05-01',"
            " '2026-05-01')"
        )
        feed.run()
        assert feed.ids() == ["测"]


def test_an_encoding_that_the_database_does_not_send_is_refused(feed: SmallFeed, department: Department) -> None:
    feed.comes_by(SOURCE, CHANGES, {**CSV, "encoding": "gb18030"})
    with pytest.raises(ContractError, match="in UTF-8"):
        feed.land()


def test_an_update_time_that_is_a_text_is_named(feed: SmallFeed, department: Department) -> None:
    department.table(COLUMNS.replace("updated timestamp", "updated text"))
    with pytest.raises(FeedError, match="of a type that windows cannot order"):
        feed.land()


def test_what_the_server_says_is_not_repeated(feed: SmallFeed, department: Department) -> None:
    department.connection.execute("drop table public.rows")
    department.connection.execute("create table public.kept (id text, updated timestamp)")
    department.connection.execute("insert into public.kept values ('秘密', '2026-05-01')")
    department.connection.execute(
        f"create view public.rows as select id, updated, id::int as n from public.kept;"
        f" grant select on public.rows to {department.reader}"
    )
    with pytest.raises(FeedError, match="SQLSTATE 22P02") as told:
        feed.land()
    assert "秘密" not in str(told.value)
    assert feed.landed() == []


def test_a_start_that_moves_back_asks_for_what_was_before_it(feed: SmallFeed, department: Department) -> None:
    department.insert(1, "2025-06-01 00:00:00", "2026-05-01 00:00:00")
    feed.run("2026-06")
    assert feed.ids() == ["00000002"]
    watermark = {**CHANGES["watermark"], "start": "2025-01-01 00:00:00"}
    feed.comes_by(SOURCE, {**CHANGES, "watermark": watermark}, CSV)
    # Of a delivery whose window has been loaded, too; and once.
    feed.run("2026-06")
    assert feed.ids() == ["00000001", "00000002"]
    assert feed.land("2026-06") == []
    department.insert(3, "2026-07-02 00:00:00")
    feed.run("2026-07")
    windows = feed.ask("select watermark_from from ops.batch where watermark_from is not null order by batch_id")
    assert windows == [("2026-01-01 00:00:00",), ("2025-01-01 00:00:00",), ("2026-07-01 00:00:00",)]


# A whole table.


def test_a_whole_table_is_a_full_list_of_the_last_delivery(feed: SmallFeed, department: Department) -> None:
    feed.comes_by(SOURCE, FULL_LIST, CSV)
    department.insert(1, *["2026-05-01 00:00:00"] * 20)
    feed.run("2026-06")
    assert len(feed.ids()) == 20
    assert feed.land("2026-06") == []
    department.connection.execute("delete from public.rows where id = '00000007'")
    feed.run("2026-07")
    assert [row[0] for row in feed.ask("select row_id from raw.test_rows where _withdrawn")] == ["00000007"]
    assert feed.land("2026-06") == []
    assert feed.landed() == ["table", "table"]
    # What has landed of a quarter is not later than a month behind it, whatever the text of the keys says.
    feed.ask("update ops.landed_object set delivery = '2026Q2' where delivery = '2026-06' returning 1")
    department.connection.execute("delete from public.rows where id = '00000008'")
    assert len(feed.land("2026-08")) == 1


# TLS.


def test_real_departments_are_reached_by_verified_tls_only(
    feed: SmallFeed, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    for mode in ("disable", "prefer", "require"):
        department.connect(sslmode=mode)
        with pytest.raises(SettingsError, match="would not verify the server"):
            feed.land()
    department.connect()
    with pytest.raises(FeedError, match="does not show that it is the one agreed on") as told:
        feed.land()
    assert not isinstance(told.value, SourceUnavailableError)
    assert "cannot be reached" not in str(told.value)


def test_tls_options_of_a_connection_are_honoured(feed: SmallFeed, department: Department) -> None:
    department.connect(sslmode="verify-full", sslrootcert="/nowhere/ca.pem")
    with pytest.raises(FeedError, match="agreed on: it does not speak TLS"):
        feed.land()


def test_names_in_the_contract_are_names_and_nothing_else(feed: SmallFeed, department: Department) -> None:
    feed.comes_by({**SOURCE, "table": 'rows"; drop table rows; --'}, CHANGES, CSV)
    with pytest.raises(FeedError, match="has no table"):
        feed.land()
    assert department.connection.execute(sql.SQL("select count(*) from public.rows")).fetchone() == (0,)
