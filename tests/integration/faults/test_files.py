"""Files that are damaged, of another form, of another month, sent twice, or have rows that cannot be right."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.integration.faults.conftest import Clean, Departments
from tests.integration.faults.small_feeds import (
    CERTIFICATES,
    CONTROL,
    ENTERPRISE_FILE,
    ENTERPRISES,
    MONTH,
    PART,
    WAGE_COLUMNS,
    WAGES,
    WageFolder,
    content,
    enterprise_book,
    enterprise_rows,
    landed,
    refusals,
    row_count,
    statuses,
    wage_part,
    wage_rows,
    wage_text,
)
from threegaps import feed_run
from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError
from threegaps.ledger.attempts import failing_since
from threegaps.settings import Settings
from threegaps.warehouse.stopping import BatchStoppedError

pytestmark = pytest.mark.integration

QUARTER = "2024Q3"


def renamed(old: str, new: str) -> bytes:
    return wage_part(wage_rows(), [new if name == old else name for name in WAGE_COLUMNS])


def with_new_column() -> bytes:
    return wage_part([[*row, "x"] for row in wage_rows()], [*WAGE_COLUMNS, "备注"])


def with_bytes(row: int, old: bytes, new: bytes) -> bytes:
    lines = wage_text(wage_rows()).encode("gb18030").split(b"\n")
    assert old in lines[row]
    lines[row] = lines[row].replace(old, new, 1)
    return gzip.compress(b"\n".join(lines))


DAMAGED: dict[str, tuple[Callable[[], bytes], str, int | None, str | None]] = {
    "truncated gzip": (lambda: wage_part(wage_rows())[:-40], "cut off or damaged", None, None),
    "no gzip at all": (lambda: wage_text(wage_rows()).encode("gb18030"), "declares gzip", None, None),
    "utf-8 instead of gb18030": (
        lambda: gzip.compress(wage_text(wage_rows()).encode()),
        "not gb18030.*but utf-8",
        0,
        None,
    ),
    "renamed column": (
        lambda: renamed("单位编号", "单位号"),
        "missing employer_code .单位编号.; 1 that",
        0,
        "employer_code",
    ),
    "new column": (with_new_column, "1 that the contract does not know, in position 16", 0, None),
    "empty file": (lambda: b"", "empty", None, None),
    "empty archive": (lambda: gzip.compress(b""), "empty", None, None),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_named_and_sent_again(damage: str, wages: WageFolder, warehouse: str, clean: Clean) -> None:
    spoil, words, row, column = DAMAGED[damage]
    halves = wage_rows()[:30], wage_rows()[30:]
    wages.send(wage_part(halves[0]), spoil())
    feed_run.land(WAGES, MONTH)
    with pytest.raises(FeedError, match=words) as told:
        feed_run.load(WAGES, MONTH)
    error = told.value
    assert (error.feed, error.file) == (WAGES, PART.format(2, 2))
    assert (error.row, error.column) == (row, column)
    assert error.advice
    # A good part beside the damaged one is not half a month in the warehouse, and nothing landed is lost.
    assert row_count(warehouse, WAGES) == 0
    assert statuses(warehouse) == ["failed"]
    assert landed(warehouse) == [PART.format(1, 2), PART.format(2, 2)]
    wages.send(wage_part(halves[0]), wage_part(halves[1]))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert statuses(warehouse) == ["failed", "loaded"]


def test_rows_that_cannot_be_right_are_refused_and_mended(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    rows = wage_rows()
    rows[0] = [*rows[0], "one too many"]
    rows[1] = rows[1][:-1]
    rows[2][1] = f"{float(rows[2][1]):.5E}"
    rows[3][12] = "2024-02-30"
    rows[4][6] = "202413"
    rows[5][9] = "12万"
    rows[6][1] = rows[6][1][:-1] + ("0" if rows[6][1][-1] != "0" else "1")
    rows[7][12], rows[7][4] = "2024-07-32", "999999"
    wages.send(wage_part(rows))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    found = refusals(warehouse)
    assert found[1] == found[2] == {"row_shape"}
    assert "resident_id_precision_lost" in found[3]
    assert found[4] == {"recorded_on_type"}
    assert found[5] == {"wage_month_type"}
    assert found[6] == {"wage_cny_month_type"}
    assert found[7] == {"resident_id_check_digit"}
    assert found[8] == {"recorded_on_type", "work_county_code_valid"}
    assert sorted(found) == list(range(1, 9))
    assert content(warehouse, WAGES)[0] == len(rows) - 8
    with psycopg.connect(warehouse) as connection:
        kept = connection.execute("select string_agg(row_data::text, ' ') from quarantine.refused_row").fetchone()
    assert kept is not None
    assert not any(row[1] in kept[0] for row in [*rows, *wage_rows()])
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}
    assert statuses(warehouse) == ["loaded", "loaded"]


ONE_ROW: dict[str, tuple[bytes, bytes]] = {
    "bytes of no encoding": (b"330106", b"\xff\xff\xff"),
    "half a character": ("元".encode("gb18030"), b"\xd4"),
    "a NUL": (b"330106", b"33\x00106"),
    "a line break in a text": (b"330106", b"330\r106"),
    "a quote that is not closed": (b",330106", b',"330106'),
    "a field that is too long": (b"330106", b"3" * 120_000),
}


@pytest.mark.parametrize("kind", ONE_ROW)
def test_what_is_wrong_with_one_row_costs_that_row(kind: str, wages: WageFolder, warehouse: str, clean: Clean) -> None:
    wages.send(with_bytes(7, *ONE_ROW[kind]))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert refusals(warehouse) == {7: {"row_readable"}}
    assert row_count(warehouse, WAGES) == 59
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}


def test_a_batch_of_mostly_wrong_rows_is_stopped(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    rows = wage_rows()
    for row in rows[:40]:
        row[12] = "2024-02-30"
    wages.send(wage_part(rows))
    feed_run.land(WAGES, MONTH)
    with pytest.raises(BatchStoppedError, match="batch_refused_share") as told:
        feed_run.load(WAGES, MONTH)
    assert told.value.feed == WAGES
    assert re.search(
        r": 40 of 60 rows are refused \(66\.7 %\), at most 30 % may be; the rule \w+ refused most, 40\.",
        str(told.value),
    )
    assert row_count(warehouse, WAGES) == 0
    assert len(refusals(warehouse)) == 40
    with pytest.raises(BatchStoppedError, match=r"nothing has changed since: .* 40 of 60 rows"):
        feed_run.load(WAGES, MONTH)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        (failing,) = failing_since(connection, WAGES)
    assert (failing.step, failing.failures, failing.cause, failing.host) == ("load", 2, "stopped", None)
    assert "60行中40行拒收(66.7 %),上限30 %" in failing.message_zh
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}
    assert statuses(warehouse) == ["stopped", "loaded"]


def test_the_same_file_twice_changes_nothing(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    part = wage_part(wage_rows())
    wages.send(part)
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    wages.send(part)
    assert feed_run.land(WAGES, MONTH) == []
    assert feed_run.load(WAGES, MONTH) == []
    # The same rows under another part's name: each counts as a duplicate.
    wages.send(part, part, rows=120)
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    with psycopg.connect(warehouse) as connection:
        counts = connection.execute(
            "select accepted, unchanged, duplicates from ops.batch where status = 'loaded' order by batch_id"
        ).fetchall()
    assert counts == [(60, 0, 0), (60, 60, 60)]


def test_a_file_of_another_month_by_its_name_is_not_landed(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    wages.send(wage_part(wage_rows()))
    stray = wages.folder / "wage_202406_part01of01.csv.gz"
    stray.write_bytes(wage_part(wage_rows(month="202406")))
    with pytest.raises(FeedError, match="another period than the delivery 2024-07") as told:
        feed_run.land(WAGES, MONTH)
    assert (told.value.feed, told.value.file) == (WAGES, stray.name)
    assert landed(warehouse) == []
    stray.unlink()
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]


def test_a_file_of_another_month_by_its_rows_is_stopped(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    wages.send(wage_part(wage_rows(month="202406")))
    feed_run.land(WAGES, MONTH)
    with pytest.raises(BatchStoppedError, match="no row speaks of 2024-07") as told:
        feed_run.load(WAGES, MONTH)
    assert told.value.feed == WAGES
    assert row_count(warehouse, WAGES) == 0
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert statuses(warehouse) == ["stopped", "loaded"]


def test_a_part_of_another_month_is_stopped_and_closes_nothing_of_that_month(
    wages: WageFolder, warehouse: str, clean: Clean
) -> None:
    august = wage_rows(40, month="202408")
    folder = wages.folder.with_name("202408")
    folder.mkdir()
    name = "wage_202408_part{:02d}of02.csv.gz"

    def send(*parts: bytes) -> None:
        for number, part in enumerate(parts, 1):
            (folder / name.format(number)).write_bytes(part)
        (folder / "wage_202408.ok").write_text("parts=2 rows=40\n", encoding="ascii")
        feed_run.land(WAGES, "2024-08")

    wages.send(wage_part(wage_rows()))
    send(wage_part(august[:20]), wage_part(august[20:]))
    feed_run.load(WAGES, "2024-08")
    before = content(warehouse, WAGES)
    send(wage_part(august[:20]), wage_part(wage_rows()[:20]))
    with pytest.raises(BatchStoppedError, match=r"wage_202408_part02of02\.csv\.gz.*another period"):
        feed_run.load(WAGES, "2024-08")
    assert content(warehouse, WAGES) == before
    send(wage_part(august[:20]), wage_part(august[20:]))
    feed_run.load(WAGES, "2024-08")
    assert content(warehouse, WAGES) == before
    assert statuses(warehouse) == ["loaded", "loaded", "stopped", "loaded"]


def test_a_delivery_sent_again_in_fewer_parts_is_whole_without_the_others(
    wages: WageFolder, warehouse: str, clean: Clean
) -> None:
    rows = wage_rows()
    wages.send(wage_part(rows[:30]), wage_part(rows[30:]))
    run_month()
    wages.send(wage_part(rows[:50]), count=50)
    run_month()
    assert delivery_state(warehouse) == (50, 10, True)
    assert row_count(warehouse, WAGES) == 60, "ten are closed, not lost"
    wages.send(wage_part(rows[:30]), wage_part(rows[30:]))
    run_month()
    assert delivery_state(warehouse) == (60, 0, True), "its second part is as it was, and not landed again"
    assert content(warehouse, WAGES) == clean[WAGES]


def test_a_part_too_many_is_left_out_when_the_control_file_says_so(
    wages: WageFolder, warehouse: str, clean: Clean
) -> None:
    rows = wage_rows()
    wages.send(wage_part(rows[:20]), wage_part(rows[20:40]), wage_part(rows[40:]))
    run_month()
    (wages.folder / CONTROL).write_text("parts=2 rows=40\n", encoding="ascii")
    run_month()
    assert delivery_state(warehouse) == (40, 20, True)
    assert run_month() == [], "said once"
    (wages.folder / CONTROL).write_text("parts=3 rows=60\n", encoding="ascii")
    run_month()
    assert delivery_state(warehouse) == (60, 0, True)
    assert content(warehouse, WAGES) == clean[WAGES]


def test_a_correction_that_comes_months_later_is_taken_by_the_next_run(wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part(wage_rows()))
    run_month()
    corrected = list(wage_rows()[0])
    corrected[9], corrected[13] = "9999.00", "1"
    (wages.folder / "wage_202407_correction01.csv.gz").write_bytes(wage_part([corrected]))
    feed_run.land(WAGES, "2024-10")
    feed_run.load(WAGES, "2024-10")
    with psycopg.connect(warehouse) as connection:
        row = connection.execute(
            "select count(*), (select changed from ops.batch order by batch_id desc limit 1) from raw.hrss_wage_records"
            " where _version = 1"
        ).fetchone()
    assert row == (1, 1)


def run_month() -> list[int]:
    feed_run.land(WAGES, MONTH)
    return feed_run.load(WAGES, MONTH)


def delivery_state(warehouse: str) -> tuple[int, int, bool]:
    """Rows that the last batch received and closed, and whether it was complete."""
    with psycopg.connect(warehouse) as connection:
        row = connection.execute(
            "select received, closed_by_absence, is_complete from ops.batch order by batch_id desc limit 1"
        ).fetchone()
    assert row is not None
    return row


def test_judging_again_changes_nothing_where_parts_were_taken_back_or_came_back(
    wages: WageFolder, warehouse: str
) -> None:
    rows = wage_rows()
    parts = wage_part(rows[:30]), wage_part(rows[30:])
    standing = "select count(*) from raw.hrss_wage_records where not _withdrawn"
    for sent, count in ((parts, 60), (parts[:1], 30), (parts, 60)):
        wages.send(*sent, count=count)
        feed_run.land(WAGES, MONTH)
        feed_run.load(WAGES, MONTH)
        with psycopg.connect(warehouse) as connection:
            assert connection.execute(standing).fetchone() == (count,)
            last = connection.execute("select max(batch_id) from ops.batch").fetchone()
        assert last is not None
        feed_run.judge_again(last[0])
        with psycopg.connect(warehouse) as connection:
            assert connection.execute(standing).fetchone() == (count,)


def test_parts_wait_for_their_control_file(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    wages.send(wage_part(wage_rows()))
    control = wages.folder / "wage_202407.ok"
    said = control.read_text(encoding="ascii")
    control.unlink()
    assert feed_run.land(WAGES, MONTH) == []
    control.write_text(said, encoding="ascii")
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]


def test_a_delivery_with_fewer_rows_than_announced_is_not_complete(wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part(wage_rows()), rows=61)
    correction = wages.folder / "wage_202407_correction01.csv.gz"
    row = wage_rows()[0]
    correction.write_bytes(wage_part([[*row[:9], "7000.00", *row[10:13], "1", "1"]]))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    # A correction is judged by itself.
    assert is_complete(warehouse) == [False, False]
    correction.with_name("wage_202407_correction02.csv.gz").write_bytes(
        wage_part([[*row[:9], "7100.00", *row[10:13], "2", "1"]])
    )
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    # A correction makes nothing whole that was not.
    assert is_complete(warehouse) == [False, False, False]


def is_complete(warehouse: str) -> list[bool]:
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute("select is_complete from ops.batch order by batch_id").fetchall()
    return [row[0] for row in rows]


def test_formula_errors_are_refused_and_numbers_as_text_are_read(drop: Path, warehouse: str, clean: Clean) -> None:
    rows = enterprise_rows()
    rows[0][10] = "#REF!"
    rows[1][5] = "#N/A"
    rows[2][6] = "#VALUE!"
    for row in rows[3:]:
        row[10], row[11] = str(row[10]), str(row[11])
    file = drop / "hrss" / ENTERPRISE_FILE
    file.write_bytes(enterprise_book(rows))
    feed_run.land(ENTERPRISES, QUARTER)
    feed_run.load(ENTERPRISES, QUARTER)
    assert refusals(warehouse) == {
        1: {"row_readable"},
        2: {"row_readable"},
        3: {"row_readable"},
    }
    assert content(warehouse, ENTERPRISES)[0] == 27
    file.write_bytes(enterprise_book(enterprise_rows()))
    feed_run.land(ENTERPRISES, QUARTER)
    feed_run.load(ENTERPRISES, QUARTER)
    assert content(warehouse, ENTERPRISES) == clean[ENTERPRISES]
    assert refusals(warehouse) == {}
    assert statuses(warehouse) == ["loaded", "loaded"]


def test_a_workbook_that_is_cut_off_is_named(drop: Path, warehouse: str, clean: Clean) -> None:
    file = drop / "hrss" / ENTERPRISE_FILE
    file.write_bytes(enterprise_book(enterprise_rows())[:-200])
    feed_run.land(ENTERPRISES, QUARTER)
    with pytest.raises(FeedError, match="no Excel workbook") as told:
        feed_run.load(ENTERPRISES, QUARTER)
    assert (told.value.feed, told.value.file) == (ENTERPRISES, ENTERPRISE_FILE)
    file.write_bytes(enterprise_book(enterprise_rows()))
    feed_run.land(ENTERPRISES, QUARTER)
    feed_run.load(ENTERPRISES, QUARTER)
    assert content(warehouse, ENTERPRISES) == clean[ENTERPRISES]


@pytest.mark.parametrize(
    ("change", "undo", "words"),
    [
        (
            "rename column ahc001 to ahc001_old",
            "rename column ahc001_old to ahc001",
            "missing certificate_number .+; 1 that the contract does not know",
        ),
        ("add column remark text", "drop column remark", "1 that the contract does not know"),
    ],
)
def test_a_changed_table_is_named(
    change: str, undo: str, words: str, reading: Departments, warehouse: str, clean: Clean
) -> None:
    with psycopg.connect(reading.department_dsn, autocommit=True) as department:
        department.execute(f"alter table public.zs01 {change}")
        try:
            feed_run.land(CERTIFICATES, "2026-06-30")
            with pytest.raises(FeedError, match=words) as told:
                feed_run.load(CERTIFICATES, "2026-06-30")
        finally:
            department.execute(f"alter table public.zs01 {undo}")
    assert (told.value.feed, told.value.file) == (CERTIFICATES, "public.zs01.csv")
    assert row_count(warehouse, CERTIFICATES) == 0
    feed_run.land(CERTIFICATES, "2026-06-30")
    feed_run.load(CERTIFICATES, "2026-06-30")
    assert content(warehouse, CERTIFICATES) == clean[CERTIFICATES]


def test_a_renamed_update_time_is_named_before_anything_lands(
    reading: Departments, warehouse: str, clean: Clean
) -> None:
    with psycopg.connect(reading.department_dsn, autocommit=True) as department:
        department.execute("alter table public.zs01 rename column aae036 to updated")
        try:
            with pytest.raises(FeedError, match="no column 'aae036'") as told:
                feed_run.land(CERTIFICATES, "2026-06-30")
        finally:
            department.execute("alter table public.zs01 rename column updated to aae036")
    assert (told.value.feed, told.value.column) == (CERTIFICATES, "updated_at")
    assert landed(warehouse) == []
    feed_run.land(CERTIFICATES, "2026-06-30")
    feed_run.load(CERTIFICATES, "2026-06-30")
    assert content(warehouse, CERTIFICATES) == clean[CERTIFICATES]


def test_a_bad_window_does_not_stand_in_the_way_of_a_later_one(
    reading: Departments, warehouse: str, clean: Clean
) -> None:
    with psycopg.connect(reading.department_dsn, autocommit=True) as department:
        department.execute("alter table public.zs01 add column remark text")
        try:
            feed_run.land(CERTIFICATES, "2026-06-29")
            with pytest.raises(FeedError, match="1 that the contract does not know"):
                feed_run.load(CERTIFICATES, "2026-06-29")
        finally:
            department.execute("alter table public.zs01 drop column remark")
    feed_run.land(CERTIFICATES, "2026-06-30")
    feed_run.load(CERTIFICATES, "2026-06-30")
    assert content(warehouse, CERTIFICATES) == clean[CERTIFICATES]
    assert statuses(warehouse) == ["failed", "loaded"]


def test_columns_may_differ_from_the_period_before_only_with_a_new_version(drop: Path, warehouse: str) -> None:
    for quarter in ("2024Q3", "2024Q4", "2025Q1"):
        (drop / "hrss" / f"skill_enterprises_{quarter}.xlsx").write_bytes(enterprise_book(enterprise_rows()))
    feed_run.land(ENTERPRISES, "2025Q1")
    feed_run.load(ENTERPRISES, "2024Q3")
    forget_a_column(warehouse, version="0.9.0")
    assert len(feed_run.load(ENTERPRISES, "2024Q4")) == 1
    forget_a_column(warehouse, version=find_contract(Settings.load().contracts_folder, ENTERPRISES).version)
    with pytest.raises(BatchStoppedError, match="batch_columns"):
        feed_run.load(ENTERPRISES, "2025Q1")
    assert statuses(warehouse) == ["loaded", "loaded", "stopped"]


def forget_a_column(warehouse: str, *, version: str) -> None:
    """Let past batches look as if a contract of this version had had one column less."""
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "update ops.batch set source_columns = jsonb_build_object('contract_version', %s::text, 'columns',"
            " (source_columns -> 'columns') - 'status'::text)",
            [version],
        )
