"""Loads: what is where after them, whatever the order, and after what went wrong."""

from __future__ import annotations

import datetime as dt
import itertools
import traceback
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.integration.warehouse.conftest import ROSTER, SPELLS, WAGES, Loader, column
from threegaps.batch.own_period import WRONG_PERIOD
from threegaps.errors import ContractError, LedgerError
from threegaps.ledger.batches import abandon_judging, pending_batches
from threegaps.ledger.watermarks import get_watermark
from threegaps.warehouse.load import load_batch
from threegaps.warehouse.stopping import BatchStoppedError
from threegaps.warehouse.tables import ensure_tables

pytestmark = pytest.mark.integration

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)


def wage(
    employer: str, amount: str | None, *, month: dt.date = JUNE, county: str = "330102", **more: Any
) -> dict[str, Any]:
    return {"employer": employer, "wage_month": month, "county": county, "wage": amount, **more}


def test_a_first_delivery_goes_straight_and_all_is_visible_in_one_commit(loader: Loader) -> None:
    done = loader.load(WAGES, "2026-06", [wage("A", "100"), wage("B", "200")], refused=1)
    batch = loader.last_batch()
    assert (done.merged.inserted, done.merged.changed, batch.status, batch.is_complete) == (2, 0, "loaded", True)
    assert (batch.received, batch.accepted, batch.refused) == (3, 2, 1)
    assert [row[0] for row in loader.rows(WAGES, "employer")] == ["A", "B"]
    assert loader.touches(batch.batch_id) == {("330102", "2026-06-01", "2026-06-30")}
    assert pending_batches(loader.connection) == [batch.batch_id]
    refused = loader.connection.execute("select row_token, reasons->0->>'rule' from quarantine.refused_row").fetchall()
    assert [row[1] for row in refused] == ["wage_range"]


def test_nothing_of_a_batch_is_seen_before_its_commit(loader: Loader, warehouse: str) -> None:
    seen: list[int] = []
    plan = loader.plan(WAGES, "2026-06", [wage("A", "1"), wage("B", "2"), wage("C", "3")], refused=2)
    ensure_tables(loader.connection, WAGES)
    judge = plan.judge

    def watched() -> Any:
        judgement = judge()
        blocks = judgement.blocks

        def watching() -> Any:
            for block in blocks():
                yield block
                with psycopg.connect(warehouse, autocommit=True) as other:
                    row = other.execute(
                        "select (select count(*) from raw.test_wages) + (select count(*) from quarantine.refused_row)"
                        " + (select count(*) from ops.touch)"
                    ).fetchone()
                    assert row is not None
                    seen.append(row[0])

        judgement.blocks = watching
        return judgement

    load_batch(loader.connection, replace(plan, judge=watched))
    assert seen == [0, 0, 0, 0]


def test_the_highest_version_wins_in_every_order_of_loading(loader: Loader) -> None:
    versions = [
        {"amount": "100", "_version": 0},
        {"amount": "110", "_version": 1},
        {"amount": "110", "_version": 2},
        {"amount": "90", "_version": 3, "_withdrawn": "t"},
        {"amount": "120", "_version": 4},
    ]
    results = set()
    for number, order in enumerate(itertools.permutations(range(len(versions)))):
        contract = replace(WAGES, feed=f"test/w{number}", table=f"test_w{number}", partition_column=None)
        landed = [loader.land(contract, "2026-06", part=f"p{index}", is_correction=True) for index in range(5)]
        for index in order[:4] if number % 2 else order:
            version = dict(versions[index])
            row = wage("A", version.pop("amount"), **version)
            loader.load(contract, "2026-06", [row], landed=landed[index], is_whole=False)
        if number % 2 == 0:
            results.add(tuple(loader.rows(contract, "wage::text", "_version", "_withdrawn")))
        else:
            best = max(order[:4])
            ((amount, found, withdrawn),) = loader.rows(contract, "wage::text", "_version", "_withdrawn")
            assert (amount, found, withdrawn) == (f"{versions[best]['amount']}.00", best, best == 3)
        if number >= 23:
            break
    assert results == {(("120.00", 4, False),)}


def test_counts_of_a_merge_and_the_old_image_in_history_and_touches(loader: Loader) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY), wage("B", "200", month=MAY), wage("C", "1", month=MAY)])
    first = loader.last_batch().batch_id
    done = loader.load(
        WAGES,
        "2026-06",
        [
            wage("A", "100", month=MAY, _version=1),
            wage("B", "250", month=MAY, county="330106", _version=1),
            wage("C", "1", month=MAY, _version=1, _withdrawn="t"),
            wage("D", "400"),
        ],
        is_whole=False,
    )
    second = loader.last_batch().batch_id
    merged = done.merged
    assert (merged.inserted, merged.changed, merged.unchanged, merged.withdrawn) == (1, 1, 1, 1)
    history = loader.rows(WAGES, "employer", "wage::text", "_batch_id", "_superseded_by_batch_id", schema="raw_history")
    # What the first batch says of A stands below what the second repeats.
    assert history == [("A", "100.00", first, second), ("B", "200.00", first, second), ("C", "1.00", first, second)]
    assert loader.touches(second) == {
        ("330102", "2026-05-01", "2026-06-30"),
        ("330106", "2026-05-01", "2026-05-31"),
    }


def test_a_delivery_with_keys_of_other_months_is_merged_after_all(loader: Loader) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY)])
    loader.load(
        WAGES, "2026-06", [wage("B", "1"), wage("A", "120", month=MAY), wage("Z", "7", month=dt.date(2019, 1, 1))]
    )
    assert loader.rows(WAGES, "employer", "wage::text") == [("A", "120.00"), ("B", "1.00"), ("Z", "7.00")]
    assert loader.last_batch().changed == 1


def test_absence_closes_only_in_a_complete_delivery_and_only_in_its_own_period(loader: Loader) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY)])
    loader.load(WAGES, "2026-06", [wage("A", "1"), wage("B", "2"), wage("C", "3")])
    loader.load(WAGES, "2026-06", [wage("C", "9", _version=1)], is_whole=False)
    loader.load(WAGES, "2026-06", [wage("A", "1")], is_complete=False)
    assert loader.rows(WAGES, "count(*)") == [(4,)]
    assert all(not row[0] for row in loader.rows(WAGES, "_withdrawn"))
    done = loader.load(WAGES, "2026-06", [wage("A", "1")])
    # B is gone; C was corrected after the delivery, and May is another delivery's.
    assert done.merged.closed_by_absence == 1
    assert loader.rows(WAGES, "employer", "wage_month::text", "_withdrawn") == [
        ("A", "2026-05-01", False),
        ("A", "2026-06-01", False),
        ("B", "2026-06-01", True),
        ("C", "2026-06-01", False),
    ]
    assert loader.touches(loader.last_batch().batch_id) == {("330102", "2026-06-01", "2026-06-30")}


def test_a_row_that_a_delivery_took_over_goes_back_where_another_still_says_it(loader: Loader) -> None:
    may = [wage("A", "100", month=MAY), wage("B", "200", month=MAY)]
    strays = [wage("A", "999", month=MAY, county="330106"), wage("B", "999", month=MAY, county="330106")]
    shown = ("employer", "wage_month::text", "county", "wage::text", "_withdrawn")
    loader.load(WAGES, "2026-05", may)
    expected = [
        ("A", "2026-05-01", "330102", "100.00", False),
        ("A", "2026-06-01", "330102", "1.00", False),
        ("B", "2026-05-01", "330102", "200.00", False),
    ]
    loader.load(WAGES, "2026-06", [wage("A", "1"), *strays])
    loader.load(WAGES, "2026-06", [wage("A", "1")])
    assert loader.rows(WAGES, *shown) == expected
    assert loader.touches(loader.last_batch().batch_id) == {
        ("330102", "2026-05-01", "2026-05-31"),
        ("330106", "2026-05-01", "2026-05-31"),
    }
    gone = loader.rows(WAGES, "employer", "wage::text", schema="raw_history")
    assert gone == [("A", "999.00"), ("B", "999.00")]

    # What the other delivery no longer says itself does not come back.
    loader.load(WAGES, "2026-06", [wage("A", "1"), *strays])
    loader.load(WAGES, "2026-05", [wage("B", "200", month=MAY)])
    done = loader.load(WAGES, "2026-06", [wage("A", "1")])
    assert done.merged.closed_by_absence == 1
    assert loader.rows(WAGES, *shown) == [("A", "2026-05-01", "330106", "999.00", True), *expected[1:]]


def roster(employer: str, county: str = "330102") -> dict[str, Any]:
    return {"employer": employer, "county": county, "recognised_on": dt.date(2025, 3, 9)}


def test_a_full_list_closes_what_it_no_longer_has_and_an_older_list_changes_nothing(loader: Loader) -> None:
    loader.load(ROSTER, "2026Q2", [roster("A"), roster("B")])
    loader.load(ROSTER, "2026Q3", [roster("B", "330106"), roster("C")])
    expected = [("A", "330102", True), ("B", "330106", False), ("C", "330102", False)]
    assert loader.rows(ROSTER, "employer", "county", "_withdrawn") == expected
    loader.load(ROSTER, "2026Q1", [roster("A"), roster("D")])
    assert loader.rows(ROSTER, "employer", "county", "_withdrawn") == expected
    assert loader.last_batch().unchanged == 2
    loader.load(ROSTER, "2026Q4", [roster("A"), roster("B", "330106")])
    assert [row[:2] for row in loader.rows(ROSTER, "employer", "_withdrawn")] == [
        ("A", False),
        ("B", False),
        ("C", True),
    ]


def test_an_older_list_that_comes_again_stays_older_also_when_the_newer_one_is_judged_again(loader: Loader) -> None:
    loader.load(ROSTER, "2026Q2", [roster("A"), roster("B")])
    landed = loader.land(ROSTER, "2026Q3")
    loader.load(ROSTER, "2026Q3", [roster("A", "330106")], landed=landed)
    newer = loader.last_batch().batch_id
    expected = [("A", "330106", False), ("B", "330102", True)]
    loader.load(ROSTER, "2026Q2", [roster("A", "330103"), roster("B")])
    assert loader.rows(ROSTER, "employer", "county", "_withdrawn") == expected
    loader.load(ROSTER, "2026Q3", [roster("A", "330106")], landed=landed, supersedes=newer)
    assert loader.rows(ROSTER, "employer", "county", "_withdrawn") == expected


def test_an_open_spell_touches_every_later_period_before_and_after(loader: Loader) -> None:
    row = {"employer": "A", "county": "330102", "start_date": dt.date(2026, 1, 15), "end_date": None}
    loader.load(SPELLS, "2026-06-01", [row], watermark_to="2026-06-02 00:00:00")
    assert loader.touches(loader.last_batch().batch_id) == {("330102", "2026-01-01", "infinity")}
    ended = {**row, "county": "330106", "end_date": dt.date(2026, 3, 2), "_version": 5}
    loader.load(SPELLS, "2026-06-02", [ended], watermark_to="2026-06-03 00:00:00")
    assert loader.touches(loader.last_batch().batch_id) == {
        ("330102", "2026-01-01", "infinity"),
        ("330106", "2026-01-01", "2026-03-31"),
    }
    assert get_watermark(loader.connection, SPELLS.feed) == "2026-06-03 00:00:00"


def test_a_stopped_batch_publishes_nothing_and_keeps_counts_checks_and_refused_rows(loader: Loader) -> None:
    loader.load(SPELLS, "2026-06-01", [{"employer": "A", "county": "1", "start_date": MAY}], watermark_to="2026-06-02")
    with pytest.raises(BatchStoppedError, match=r"test/spells.*too_many_refused"):
        loader.load(
            SPELLS,
            "2026-06-02",
            [{"employer": "B", "county": "1", "start_date": MAY}],
            refused=3,
            stopped_by="too_many_refused",
            watermark_to="2026-06-03",
        )
    batch = loader.last_batch()
    assert (batch.status, batch.stop_rule, batch.received, batch.refused) == ("stopped", "too_many_refused", 4, 3)
    assert loader.rows(SPELLS, "employer") == [("A",)]
    assert loader.touches(batch.batch_id) == set()
    assert get_watermark(loader.connection, SPELLS.feed) == "2026-06-02"
    kept = loader.connection.execute(
        "select (select count(*) from quarantine.refused_row where batch_id = %(b)s),"
        " (select count(*) from ops.check_result where batch_id = %(b)s)",
        {"b": batch.batch_id},
    ).fetchone()
    assert kept == (3, 1)


def test_a_full_delivery_that_never_speaks_of_its_period_is_stopped(loader: Loader) -> None:
    with pytest.raises(BatchStoppedError, match="another period"):
        loader.load(WAGES, "2026-06", [wage("A", "1", month=MAY), wage("B", "1", month=MAY)])
    assert loader.last_batch().stop_rule == WRONG_PERIOD
    assert loader.rows(WAGES, "employer") == []


def test_an_error_of_the_judge_leaves_nothing_and_a_rerun_is_clean(loader: Loader) -> None:
    rows = [wage("A", "1"), wage("B", "2"), wage("C", "3")]
    with pytest.raises(RuntimeError, match="judge broke"):
        loader.load(WAGES, "2026-06", rows, fail_after=2)
    assert loader.last_batch().status == "failed"
    assert loader.rows(WAGES, "employer") == []
    loader.load(WAGES, "2026-06", rows)
    assert [row[0] for row in loader.rows(WAGES, "employer")] == ["A", "B", "C"]


def test_rows_that_the_server_refuses_are_told_without_their_values(loader: Loader) -> None:
    name = "".join(("Zhang", " ", "San"))
    with pytest.raises(LedgerError, match=r"line 1 of what was copied to \w+: InvalidTextRepresentation") as told:
        loader.load(WAGES, "2026-06", [wage("A", f"6543.21 of {name}")])
    assert (told.value.feed, told.value.column) == (WAGES.feed, "wage")
    said = loader.connection.execute("select message_en from ops.batch order by batch_id desc limit 1").fetchone()
    assert said is not None
    for text in (str(told.value), said[0], "".join(traceback.format_exception(told.value))):
        assert name not in text


def test_judging_again_takes_the_old_number_and_what_stood_before_stands_again(loader: Loader) -> None:
    loader.load(WAGES, "2026-05", [wage("A", "100", month=MAY), wage("E", "5", month=MAY)])
    landed = loader.land(WAGES, "2026-06", is_correction=True)
    rows = [wage("A", "110", month=MAY, _version=1), wage("B", "7"), wage("C", "8")]
    loader.load(WAGES, "2026-06", rows, landed=landed, is_whole=False, refused=1)
    old = loader.last_batch()
    loader.load(WAGES, "2026-06", [wage("C", "9", _version=2)], is_whole=False)
    # The new judgement refuses A and reads B otherwise; the later correction of C goes on standing.
    loader.load(
        WAGES, "2026-06", [wage("B", "70"), wage("C", "8")], landed=landed, is_whole=False, supersedes=old.batch_id
    )
    new = loader.last_batch()
    assert (new.order_number, new.supersedes_batch_id) == (old.order_number, old.batch_id)
    states = dict(loader.connection.execute("select batch_id, status from ops.batch").fetchall())
    assert states[old.batch_id] == "superseded"
    assert loader.rows(WAGES, "employer", "wage::text") == [
        ("A", "100.00"), ("B", "70.00"), ("C", "9.00"), ("E", "5.00"),
    ]  # fmt: skip
    closed = loader.connection.execute("select closed_by_batch_id from quarantine.refused_row").fetchall()
    assert closed == [(new.batch_id,)]
    assert old.batch_id not in pending_batches(loader.connection)


def test_a_rerun_marks_what_an_aborted_run_left(loader: Loader) -> None:
    plan = loader.plan(WAGES, "2026-06", [wage("A", "1")])
    assert abandon_judging(loader.connection, WAGES.feed) == [plan.batch_id]
    assert loader.last_batch().status == "failed"


def test_a_new_optional_column_is_added_and_other_changes_are_refused(loader: Loader) -> None:
    ensure_tables(loader.connection, WAGES)
    wider = replace(WAGES, columns=(*WAGES.columns, column("remark", "text", required=False)))
    ensure_tables(loader.connection, wider)
    assert loader.rows(wider, "remark") == []
    with pytest.raises(ContractError, match="remark"):
        ensure_tables(loader.connection, WAGES)
    retyped = [replace(one, sql_type="bigint") if one.name == "remark" else one for one in wider.columns]
    with pytest.raises(ContractError, match="bigint"):
        ensure_tables(loader.connection, replace(wider, columns=tuple(retyped)))
    assert_comment(loader)


def test_a_changed_label_reaches_the_tables_that_are_there(loader: Loader) -> None:
    ensure_tables(loader.connection, WAGES)
    columns = tuple(replace(one, description_zh="县") if one.name == "county" else one for one in WAGES.columns)
    ensure_tables(loader.connection, replace(WAGES, columns=columns))
    comments = loader.connection.execute(
        "select col_description(to_regclass('raw.test_wages'), 3),"
        " col_description(to_regclass('raw_history.test_wages'), 3)"
    ).fetchone()
    assert comments == ("县 | county",) * 2


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("wage", {"required": True}, "required in the contract"),
        ("county", {"required": False}, "optional in the contract"),
        ("wage", {"sql_type": "numeric(18,4)"}, r"numeric\(18,4\)"),
        ("county", {"sql_type": "varchar(6)"}, "character varying"),
    ],
)
def test_a_changed_column_is_refused_by_name(loader: Loader, name: str, change: dict[str, Any], said: str) -> None:
    ensure_tables(loader.connection, WAGES)
    columns = tuple(replace(one, **change) if one.name == name else one for one in WAGES.columns)
    with pytest.raises(ContractError, match=said) as told:
        ensure_tables(loader.connection, replace(WAGES, columns=columns))
    assert (told.value.feed, told.value.column) == (WAGES.feed, name)
    assert "migrate" in str(told.value)
    ensure_tables(loader.connection, WAGES)


def test_a_changed_key_is_refused(loader: Loader) -> None:
    ensure_tables(loader.connection, WAGES)
    with pytest.raises(ContractError, match="key is employer, wage_month, county") as told:
        ensure_tables(loader.connection, replace(WAGES, key=("employer", "wage_month", "county")))
    assert (told.value.feed, told.value.column) == (WAGES.feed, "county")
    with pytest.raises(ContractError, match="keep the key"):
        ensure_tables(loader.connection, replace(WAGES, key=("wage_month", "employer")))


def assert_comment(loader: Loader) -> None:
    comment = loader.connection.execute(
        "select col_description('raw.test_wages'::regclass, attnum) from pg_attribute"
        " where attrelid = 'raw.test_wages'::regclass and attname = 'county'"
    ).fetchone()
    assert comment == ("county的中文 | county",)
