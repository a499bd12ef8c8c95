"""What decides is the department's own numbering and the order of arrival, never what happens to be judged together."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Warehouses
from tests.integration.faults.conftest import connect, point_at
from tests.integration.faults.small_feeds import (
    CONTROL,
    ENTERPRISE_FILE,
    ENTERPRISES,
    MONTH,
    WAGES,
    WageFolder,
    enterprise_book,
    enterprise_rows,
    statuses,
    wage_part,
    wage_rows,
)
from threegaps import feed_run
from threegaps.errors import LedgerError
from threegaps.feed_run.unloaded import Unloaded, look_for_unloaded
from threegaps.ledger import decisions
from threegaps.ledger.batches import SHRUNK
from threegaps.settings import Settings
from threegaps.sources.quiet import Looks
from threegaps.warehouse.stopping import BatchStoppedError

pytestmark = pytest.mark.integration

ROWS = wage_rows()
QUARTER = "2024Q3"


def run_month() -> list[int]:
    feed_run.land(WAGES, MONTH)
    return feed_run.load(WAGES, MONTH)


def send_enterprises(drop: Path, count: int) -> list[int]:
    """Send the first *count* enterprises of the list, and load it."""
    (drop / "hrss" / ENTERPRISE_FILE).write_bytes(enterprise_book(enterprise_rows()[:count]))
    feed_run.land(ENTERPRISES, QUARTER)
    return feed_run.load(ENTERPRISES, QUARTER)


def note_acceptance(dsn: str) -> None:
    """Note that the second batch, which was stopped, is meant."""
    with psycopg.connect(dsn) as connection:
        feed_run.accept_for_next_load(Settings.load(), connection, 2, accepted_by="an officer", reason="notice 12")


def correction(amount: str, number: int) -> bytes:
    return wage_part([[*ROWS[0][:9], amount, *ROWS[0][10:13], str(number), "1"]])


def standing(dsn: str, feed: str = WAGES) -> set[str]:
    """The open rows, without what tells in which batch and file they came."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select (to_jsonb(t) - '{_batch_id,_landed_object_id,_row_number}'::text[])::text"
            f" from raw.{feed.replace('/', '_')} as t where not _withdrawn"
        ).fetchall()
    return {str(row[0]) for row in rows}


def wage_of_first(dsn: str) -> list[tuple[str, int]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select wage_cny_month::text, correction_number from raw.hrss_wage_records"
            " where wage_cny_month >= 7000 and not _withdrawn"
        ).fetchall()


@pytest.mark.parametrize("together", ["all", "corrections", "none"])
# One after the other, falling and with a gap, rising and not from the first: what else two numbers can be is alike.
@pytest.mark.parametrize("order", [(1, 2), (3, 1), (2, 3)])
def test_the_higher_number_stands_whatever_is_judged_together(
    wages: WageFolder,
    warehouse: str,
    together: str,
    order: tuple[int, int],
    warehouses: Warehouses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wages.send(wage_part(ROWS))
    if together != "all":
        run_month()
    for file, number in enumerate(order, 1):
        (wages.folder / f"wage_202407_correction{file:02d}.csv.gz").write_bytes(correction(f"7{number}00.00", number))
        if together == "none":
            run_month()
    run_month()
    highest = max(order)
    assert wage_of_first(warehouse) == [(f"7{highest}00.00", highest)]
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    list(feed_run.rebuild())
    assert standing(anew) == standing(warehouse)


def test_a_sending_that_stops_keeps_no_other_one_of_its_delivery_waiting(wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part(ROWS))
    run_month()
    odd = [[*row[:9], "no amount", *row[10:]] for row in ROWS[:25]]
    (wages.folder / "wage_202407_correction01.csv.gz").write_bytes(wage_part(odd))
    (wages.folder / "wage_202407_correction02.csv.gz").write_bytes(correction("7100.00", 1))
    with pytest.raises(BatchStoppedError):
        run_month()
    assert wage_of_first(warehouse) == [("7100.00", 1)], "a good correction does not wait for a bad one"
    kept = {path.name: path.read_bytes() for path in wages.folder.glob("*correction*")}
    wages.send(wage_part(ROWS[1:]), count=59)
    for name, correction_file in kept.items():
        (wages.folder / name).write_bytes(correction_file)
    with pytest.raises(BatchStoppedError, match="nothing has changed"):
        run_month()
    assert statuses(warehouse) == ["loaded", "stopped", "loaded", "loaded"], "nor do the originals"
    wages.send(wage_part(ROWS[:1]), count=1)
    (wages.folder / "wage_202407_correction03.csv.gz").write_bytes(correction("7300.00", 3))
    with pytest.raises(BatchStoppedError):
        run_month()
    assert wage_of_first(warehouse) == [("7300.00", 3)], "nor a correction for originals"
    assert len(standing(warehouse)) == 60


def test_a_control_file_that_is_mended_alone_completes_its_delivery(wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part(ROWS))
    run_month()
    wages.send(wage_part(ROWS[:50]), rows=51)
    run_month()
    assert len(standing(warehouse)) == 60, "nothing is closed before it is known to be whole"
    (wages.folder / CONTROL).write_text("parts=1 rows=50\n", encoding="ascii")
    assert len(run_month()) == 1
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute("select is_complete, closed_by_absence from ops.batch order by batch_id").fetchall()
    assert rows == [(True, 0), (False, 0), (True, 10)]
    assert len(standing(warehouse)) == 50
    assert run_month() == []
    # The same again: what was complete stays so, though its control file is the older one again.
    feed_run.judge_again(3)
    assert len(standing(warehouse)) == 50


def test_judging_an_earlier_batch_again_revives_nothing_that_its_delivery_closed(
    wages: WageFolder, warehouse: str
) -> None:
    wages.send(wage_part(ROWS))
    run_month()
    (wages.folder / "wage_202407_correction01.csv.gz").write_bytes(correction("7100.00", 1))
    run_month()
    wages.send(wage_part(ROWS[1:40]), count=39)
    run_month()
    before = standing(warehouse)
    assert len(before) == 40, "39 and the correction, which goes on standing"
    for batch_id in (1, 2, 3):
        feed_run.judge_again(batch_id)
        assert standing(warehouse) == before
    for batch_id in (4, 6):
        feed_run.judge_again(batch_id)
        assert standing(warehouse) == before


@pytest.mark.parametrize(("left", "again"), [(0, 30), (9, 30), (9, 16)])
def test_an_emptied_or_cut_list_closes_nothing_until_somebody_answers_for_it(
    drop: Path,
    warehouse: str,
    left: int,
    again: int,
    warehouses: Warehouses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send_enterprises(drop, 30)
    with pytest.raises(BatchStoppedError, match=SHRUNK) as stopped:
        send_enterprises(drop, left)
    with pytest.raises(BatchStoppedError, match="nothing has changed since"):
        feed_run.load(ENTERPRISES, QUARTER)
    assert "batches accept 2" in str(stopped.value.advice)
    assert f"{left} rows are left of 30 that stand, and 15 at least must be" in stopped.value.message
    assert f"本批次仅剩{left}行,至少应有15行" in str(stopped.value.message_zh)
    assert len(standing(warehouse, ENTERPRISES)) == 30
    send_enterprises(drop, again)
    assert len(standing(warehouse, ENTERPRISES)) == again
    with pytest.raises(LedgerError, match="no longer what"):
        feed_run.accept(2, accepted_by="an officer", reason="too late")
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        send_enterprises(drop, left if again == 30 else 0)
    with pytest.raises(LedgerError, match="why it is meant"):
        feed_run.accept(4, accepted_by="an officer", reason=" ")
    batch_id = feed_run.accept(4, accepted_by="an officer", reason="notice 12")
    assert len(standing(warehouse, ENTERPRISES)) == (left if again == 30 else 0)
    with psycopg.connect(warehouse) as connection:
        said = connection.execute("select batch_id, rules, accepted_by, reason from ops.acceptance").fetchall()
    assert said == [(batch_id, [SHRUNK], "an officer", "notice 12")]
    assert feed_run.load(ENTERPRISES, QUARTER) == []
    with pytest.raises(LedgerError, match="only a stopped batch"):
        feed_run.accept(batch_id, accepted_by="an officer", reason="again")
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    list(feed_run.rebuild())
    assert standing(anew, ENTERPRISES) == standing(warehouse, ENTERPRISES)
    with psycopg.connect(anew) as connection:
        assert connection.execute("select accepted_by, reason from ops.acceptance").fetchall() == [
            ("an officer", "notice 12")
        ]


def test_a_decision_that_was_only_noted_is_landed_and_obeyed_by_the_next_load(
    drop: Path, warehouse: str, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(query: str, dsn: str = warehouse) -> list[tuple[Any, ...]]:
        with psycopg.connect(dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    send_enterprises(drop, 30)
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        send_enterprises(drop, 9)
    note_acceptance(warehouse)
    note_acceptance(warehouse)
    assert ask("select count(*) from ops.landed_object where part like 'accept%'") == [(0,)]
    (loaded,) = feed_run.load(ENTERPRISES, QUARTER)
    assert len(standing(warehouse, ENTERPRISES)) == 9
    assert ask("select count(*) from ops.landed_object where part like 'accept%'") == [(1,)]
    assert ask(
        "select count(*), bool_and(taken_up_at is not null and why_not is null) from ops.acceptance_request"
    ) == [(1, True)]
    # It was taken when somebody said so, not when it was carried out.
    assert ask(
        "select a.batch_id, a.accepted_by, a.reason, a.accepted_at = r.accepted_at"
        " from ops.acceptance as a cross join ops.acceptance_request as r"
    ) == [(loaded, "an officer", "notice 12", True)]
    assert feed_run.load(ENTERPRISES, QUARTER) == []
    anew = warehouses.new()
    point_at(monkeypatch, anew, tmp_path / "landing")
    list(feed_run.rebuild())
    assert standing(anew, ENTERPRISES) == standing(warehouse, ENTERPRISES)
    assert ask("select accepted_by from ops.acceptance", anew) == [("an officer",)]


def test_a_decision_that_was_noted_holds_for_what_it_was_about_alone(drop: Path, warehouse: str) -> None:
    send_enterprises(drop, 30)
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        send_enterprises(drop, 9)
    note_acceptance(warehouse)
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        send_enterprises(drop, 8)
    assert len(standing(warehouse, ENTERPRISES)) == 30
    with psycopg.connect(warehouse) as connection:
        (why_not,) = connection.execute("select why_not from ops.acceptance_request").fetchone() or ("",)
    assert "something has arrived since" in why_not


def test_a_landing_that_was_cut_off_after_a_decision_lands_it_once(
    drop: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_enterprises(drop, 30)
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        send_enterprises(drop, 9)
    note_acceptance(warehouse)
    with monkeypatch.context() as cut:
        cut.setattr(decisions, "note_taken_up", lambda *_, **__: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            feed_run.load(ENTERPRISES, QUARTER)
    assert len(feed_run.load(ENTERPRISES, QUARTER)) == 1
    with psycopg.connect(warehouse) as connection:
        landed = connection.execute("select count(*) from ops.landed_object where part like 'accept%'").fetchone()
    assert landed == (1,)


def test_an_emptied_month_closes_nothing_and_a_first_one_is_taken(wages: WageFolder, warehouse: str) -> None:
    wages.send(wage_part([]), count=0)
    run_month()
    wages.send(wage_part(ROWS))
    run_month()
    wages.send(wage_part([]), count=0)
    # A correction that comes with it does not make it any fuller.
    (wages.folder / "wage_202407_correction01.csv.gz").write_bytes(correction("7100.00", 1))
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        run_month()
    assert len(standing(warehouse)) == 60
    assert wage_of_first(warehouse) == [("7100.00", 1)]
    assert statuses(warehouse) == ["loaded", "loaded", "stopped", "loaded"]


def test_another_rule_cannot_be_accepted(wages: WageFolder, warehouse: str) -> None:
    rows = wage_rows()
    for row in rows[:40]:
        row[12] = "2024-02-30"
    wages.send(wage_part(rows))
    with pytest.raises(BatchStoppedError, match="batch_refused_share"):
        run_month()
    with pytest.raises(LedgerError, match="nobody can accept"):
        feed_run.accept(1, accepted_by="an officer", reason="let it in")


def test_what_lies_there_and_is_not_loaded_is_seen_without_fetching_it(
    wages: WageFolder, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unloaded(*, loaded: set[str], fetched: set[str]) -> dict[str, Unloaded]:
        looked = look_for_unloaded(WAGES, ["2024-06", MONTH, "2024-08"])
        assert looked.fault is None
        assert (looked.loaded, looked.fetched) == (loaded, fetched)
        return dict(looked.deliveries)

    def send_long_ago(path: Path, content: bytes | None = None) -> None:
        if content is not None:
            path.write_bytes(content)
        os.utime(path, (1_720_000_000, 1_720_000_000))

    wages.send(wage_part(ROWS))
    for path in wages.folder.iterdir():
        send_long_ago(path)
    assert unloaded(loaded=set(), fetched=set()) == {MONTH: Unloaded(parts=2)}, "a part and the control file"
    feed_run.land(WAGES, MONTH)
    assert unloaded(loaded=set(), fetched={"2024-06", MONTH}) == {MONTH: Unloaded(landed=1)}
    feed_run.load(WAGES, MONTH)
    assert unloaded(loaded={MONTH}, fetched={"2024-06", MONTH}) == {}
    corrected = wages.folder / "wage_202407_correction01.csv.gz"
    corrected.write_bytes(correction("7100.00", 1))
    with monkeypatch.context() as patch:
        patch.setattr(Looks, "seconds_left", lambda *_: 30.0)
        found = unloaded(loaded={MONTH}, fetched={"2024-06", MONTH})
        assert found == {MONTH: Unloaded(is_settling=True)}, "it may still be being written"
    send_long_ago(corrected)
    assert unloaded(loaded={MONTH}, fetched={"2024-06", MONTH}) == {MONTH: Unloaded(corrections=1)}
    feed_run.land(WAGES, MONTH)
    assert unloaded(loaded={MONTH}, fetched={"2024-06", MONTH}) == {MONTH: Unloaded(landed=1)}
    feed_run.load(WAGES, MONTH)
    assert unloaded(loaded={MONTH}, fetched={"2024-06", MONTH}) == {}
    settings = json.loads(os.environ["AIRFLOW_CONN_HRSS_SFTP"])
    connect(monkeypatch, "hrss_sftp", {**settings, "port": 1})
    looked = look_for_unloaded(WAGES, [MONTH])
    assert looked.deliveries == {}
    assert looked.fault is not None
    assert (looked.fault.cause, looked.fault.host, looked.fault.port) == ("unreachable", "127.0.0.1", 1)


def test_what_landed_under_another_cadence_keeps_no_load_from_its_work(drop: Path, warehouse: str) -> None:
    """A feed that came by quarter comes by month: what lies there of before is left, and what comes now is loaded."""
    (drop / "hrss" / ENTERPRISE_FILE).write_bytes(enterprise_book(enterprise_rows()))
    feed_run.land(ENTERPRISES, QUARTER)
    assert len(feed_run.load(ENTERPRISES, QUARTER)) == 1
    with psycopg.connect(warehouse) as connection:
        # As if the contract of that time had said months.
        for table in ("landed_object", "attempt"):
            connection.execute(f"update ops.{table} set delivery = '2024-09' where feed = %s".encode(), [ENTERPRISES])
    assert feed_run.load(ENTERPRISES, QUARTER) == []
    assert look_for_unloaded(ENTERPRISES, ["2024Q4"]).deliveries == {}
    (drop / "hrss" / ENTERPRISE_FILE).write_bytes(enterprise_book(enterprise_rows()[:-1]))
    feed_run.land(ENTERPRISES, QUARTER)
    assert len(feed_run.load(ENTERPRISES, QUARTER)) == 1
