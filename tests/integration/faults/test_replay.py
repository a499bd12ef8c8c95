"""What a department mends of its refused rows comes back in, each row once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.faults.conftest import LAST_DAY, Clean, Departments
from tests.integration.faults.small_feeds import (
    ENTERPRISE_FILE,
    ENTERPRISES,
    MONTH,
    TRAINING,
    WAGES,
    WageFolder,
    content,
    enterprise_book,
    enterprise_rows,
    exported,
    refusals,
    send_back,
    statuses,
    wage_part,
    wage_rows,
)
from threegaps import feed_run
from threegaps.batch.pseudonym import load_key, pseudonyms
from threegaps.cli import asked
from threegaps.cli.app import app
from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError, LedgerError, SettingsError
from threegaps.feed_run import loading, replaying
from threegaps.ledger import tickets
from threegaps.ledger.batches import SHRUNK, get_batch
from threegaps.settings import SHANGHAI, Settings
from threegaps.warehouse import quarantine
from threegaps.warehouse.stopping import BatchStoppedError

pytestmark = pytest.mark.integration

TOKEN = "行标识"


@pytest.fixture
def refused_wages(wages: WageFolder, warehouse: str) -> list[list[str]]:
    """A loaded month with four refused rows; the rows as they should have been."""
    right, sent = wage_rows(), wage_rows()
    sent[0][12] = "2024-02-30"
    sent[1][4] = "999999"
    sent[2][1] = f"{float(sent[2][1]):.5E}"
    sent[3] = [*sent[3], "one too many"]
    wages.send(wage_part(sent))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert sorted(refusals(warehouse)) == [1, 2, 3, 4]
    return right


def test_repairs_end_as_if_the_rows_had_been_right(
    refused_wages: list[list[str]], warehouse: str, clean: Clean, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    assert [row["证件号码"] for row in rows] == ["", "", "", ""]
    assert not any(row[1] in file.read_text(encoding="utf-8-sig") for row in refused_wages)
    rows[0]["业务日期"] = refused_wages[0][12]
    rows[1]["参保地区划"] = refused_wages[1][4]
    rows[2]["证件号码"] = refused_wages[2][1]
    header = list(rows[3])
    rows[3].update(zip(header[4:-1], refused_wages[3], strict=True))
    outcome = feed_run.replay(WAGES, send_back(file, rows))
    assert (outcome.accepted, outcome.refused, outcome.duplicates, outcome.untouched) == (4, 0, 0, 0)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}
    assert statuses(warehouse) == ["loaded", "loaded"]
    with psycopg.connect(warehouse) as connection:
        closed = connection.execute("select distinct closed_by_batch_id from quarantine.refused_row").fetchall()
        part = connection.execute(
            "select part, delivery, is_correction from ops.landed_object order by landed_object_id desc limit 1"
        ).fetchone()
        counts = connection.execute(
            "select received, accepted, inserted, is_complete from ops.batch where batch_id = %s", [outcome.batch_id]
        ).fetchone()
    assert closed == [(outcome.batch_id,)]
    assert part == ("replay-0001", MONTH, True)
    assert counts == (4, 4, 4, True)
    with pytest.raises(FeedError, match="4 rows were taken in before"):
        feed_run.replay(WAGES, file)
    assert feed_run.load(WAGES, MONTH) == []
    assert feed_run.land(WAGES, MONTH) == []


def ticket_of(refused: list[tuple[str, int]], connection: psycopg.Connection[Any], file: Path) -> int:
    return tickets.open_ticket(
        connection,
        WAGES,
        refused,
        sent_to="省人力社保厅 信息中心",
        sent_by="值班员",
        file=file,
        at=dt.datetime(2026, 7, 1, 23, 30, tzinfo=SHANGHAI),
    )


def test_a_ticket_is_out_until_all_of_its_rows_are_mended_or_it_is_answered(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    sent = [(row[TOKEN], int(row["退回批次"])) for row in rows]
    now = dt.datetime(2026, 7, 4, 0, 30, tzinfo=SHANGHAI)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        first, second = ticket_of(sent[:1], connection, file), ticket_of(sent, connection, file)
        assert [(one.ticket_id, one.rows, one.open_rows, one.mended_at) for one in tickets.tickets(connection)] == [
            (first, 1, 1, None),
            (second, 4, 4, None),
        ]
        # Counted by days of Shanghai, not by hours.
        assert tickets.tickets(connection)[0].age_days(now) == 3
        rows[0]["业务日期"] = refused_wages[0][12]
        feed_run.replay(WAGES, send_back(file, rows))
        (left,) = tickets.tickets(connection, feed=WAGES)
        assert (left.ticket_id, left.open_rows, left.is_settled) == (second, 3, False)
        assert left.mended_at is not None
        settled = tickets.find_ticket(connection, first)
        assert (settled.open_rows, settled.is_settled, settled.answer) == (0, True, None)
        with pytest.raises(LedgerError, match="no ticket"):
            tickets.answer(connection, second + 1, said="x", by="y", at=now)
        with pytest.raises(LedgerError, match="Nothing"):
            tickets.answer(connection, second, said=" ", by="y", at=now)
        done = tickets.answer(connection, second, said="其余三行经核实无误", by="值班员", at=now)
        assert (done.is_settled, done.open_rows) == (True, 3)
        assert tickets.tickets(connection) == []
        assert len(tickets.tickets(connection, newest=None)) == 2
        with pytest.raises(LedgerError, match="already"):
            tickets.answer(connection, second, said="again", by="y", at=now)
        # What comes right after the answer is said of its rows all the same.
        again = exported(warehouse, WAGES, file)
        row = next(row for row in again if row[TOKEN] == rows[1][TOKEN])
        assert feed_run.replay(WAGES, send_back(file, [{**row, "参保地区划": refused_wages[1][4]}])).accepted == 1
        states = {one.row_token: one.state for one in tickets.rows_of(connection, second)}
        assert [states[one[TOKEN]] for one in rows] == ["mended", "mended", "open", "open"]
        with pytest.raises(LedgerError, match="no row"):
            ticket_of([], connection, file)


def test_what_a_ticket_asks_about_is_followed_over_sendings_of_the_whole_delivery(
    refused_wages: list[list[str]], wages: WageFolder, warehouse: str, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    refused = [(row[TOKEN], int(row["退回批次"])) for row in exported(warehouse, WAGES, file)]
    wrong = wage_rows()
    wrong[0][12], wrong[1][4], wrong[2][1] = "2024-02-30", "999999", f"{float(wrong[2][1]):.5E}"
    wrong[3] = [*wrong[3], "one too many"]
    sendings = itertools.count()

    def send(changed: Mapping[int, list[str] | None]) -> dt.datetime:
        """Send the month again, with other rows at these places, or none; when it was loaded."""
        rows = [changed.get(place, row) for place, row in enumerate(wrong)]
        # What nobody asked about may differ: it makes another file of the sending.
        rows[9] = [*wrong[9][:9], f"{7000 + next(sendings)}.00", *wrong[9][10:]]
        kept = [row for row in rows if row is not None]
        wages.send(wage_part(kept), count=len(kept))
        feed_run.land(WAGES, MONTH)
        (batch_id,) = feed_run.load(WAGES, MONTH)
        with psycopg.connect(warehouse) as connection:
            row = connection.execute("select finished_at from ops.batch where batch_id = %s", [batch_id]).fetchone()
        assert row is not None
        return row[0]

    right = refused_wages
    other_way = [*wrong[0][:9], "-1", *wrong[0][10:]]
    with psycopg.connect(warehouse, autocommit=True) as connection:
        of_each = [ticket_of([one], connection, file) for one in refused]

        def standing() -> list[str]:
            found = [tickets.find_ticket(connection, one) for one in of_each]
            waiting = [one.ticket_id for one in tickets.tickets(connection)]
            assert waiting == [one.ticket_id for one in found if not one.is_settled]
            states = [(one.open_rows, one.left_out_rows, one.unknown_rows, one.mended_at is not None) for one in found]
            return [("open", "left out", "unknown", "mended")[state.index(1)] for state in states]

        assert standing() == ["open"] * 4
        send({0: other_way, 1: right[1], 2: None, 3: right[3]})
        # Wrong in another way is not mended; of those whose key could not be read nobody can say what came of them.
        assert standing() == ["open", "mended", "unknown", "unknown"]
        assert [tickets.find_ticket(connection, one).mended_at is not None for one in of_each] == [0, 1, 0, 0]
        send({0: None, 2: right[2], 3: right[3]})
        # The second is wrong again at its source.
        assert standing() == ["left out", "open", "unknown", "unknown"]
        send({0: None, 1: None, 3: right[3]})
        # The third is refused again, and says what it said.
        assert standing() == ["left out", "left out", "open", "unknown"]
        last = send(dict(enumerate(right)))
        assert standing() == ["mended", "mended", "unknown", "unknown"]
        assert tickets.find_ticket(connection, of_each[0]).mended_at == last
        # Judged again it is accepted again, and stays so.
        feed_run.judge_again(max(int(row[0]) for row in connection.execute("select batch_id from ops.batch")))
        assert standing() == ["mended", "mended", "unknown", "unknown"]
        send({2: right[2], 3: right[3]})
        assert standing() == ["open", "open", "unknown", "unknown"]


def test_a_row_whose_key_could_not_be_read_is_followed_over_its_repairs(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ticket = ticket_of([(rows[2][TOKEN], int(rows[2]["退回批次"]))], connection, file)
        rows[2]["证件号码"] = "1" * 17
        feed_run.replay(WAGES, send_back(file, [rows[2]]))
        one = tickets.find_ticket(connection, ticket)
        assert (one.open_rows, one.unknown_rows, one.mended_at) == (1, 0, None)
        again = exported(warehouse, WAGES, file)[-1]
        again["证件号码"] = refused_wages[2][1]
        feed_run.replay(WAGES, send_back(file, [again]))
        one = tickets.find_ticket(connection, ticket)
        assert (one.open_rows, one.unknown_rows, one.mended_at is not None, one.is_settled) == (0, 0, True, True)


def test_a_correction_by_itself_ends_the_refusal_that_it_mends(
    refused_wages: list[list[str]], wages: WageFolder, warehouse: str, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    refused = [(row[TOKEN], int(row["退回批次"])) for row in exported(warehouse, WAGES, file)]
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ticket = ticket_of(refused[:2], connection, file)
        corrected = [*refused_wages[0][:13], "1", refused_wages[0][14]]
        (wages.folder / "wage_202407_correction01.csv.gz").write_bytes(wage_part([corrected]))
        feed_run.land(WAGES, MONTH)
        feed_run.load(WAGES, MONTH)
        assert sorted(refusals(warehouse)) == [2, 3, 4]
        one = tickets.find_ticket(connection, ticket)
        assert (one.open_rows, one.left_out_rows, one.mended_at is not None) == (1, 0, True)


def test_the_command_opens_a_ticket_and_lists_it(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)

    def run(*arguments: str | Path) -> Any:
        done = CliRunner().invoke(app, ["quarantine", *map(str, arguments), "--json"])
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)

    file = tmp_path / "refused.xlsx"
    sent = run("export", WAGES, file, "--sent-to", "信息中心", "--by", "值班员")
    assert (sent["rows"], sent["ticket"]) == (4, 1)
    (out,) = run("tickets")
    assert (out["sent_to"], out["rows"], out["open_rows"], out["age_days"]) == ("信息中心", 4, 4, 0)
    with psycopg.connect(warehouse) as connection:
        assert tickets.find_ticket(connection, 1).file_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    # By rule, and of a department: only feeds with something to send back have a file, and no second ticket is opened.
    one = run("export", WAGES, tmp_path / "one.csv", "--rule", "recorded_on_type")
    assert (one["rows"], one["ticket"]) == (1, None)
    of_department = run("export", "hrss", tmp_path / "hrss")
    assert [(each["feed"], each["rows"]) for each in of_department] == [(WAGES, 4)]
    assert [path.name for path in (tmp_path / "hrss").iterdir()] == ["hrss_wage_records.xlsx"]
    assert run("answered", "1", "--note", "rows are right", "--by", "x")["answer"] == "rows are right"
    assert run("tickets") == []


def test_nothing_is_written_for_an_address_that_is_blank(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)
    for names in (("--sent-to", " "), ("--sent-to", "信息中心", "--by", "\u3000")):
        for what, target in ((WAGES, tmp_path / "refused.xlsx"), ("hrss", tmp_path / "hrss")):
            done = CliRunner().invoke(app, ["quarantine", "export", what, str(target), *names])
            assert "not said to whom" in str(done.exception)
            assert not target.exists()


def test_what_is_still_wrong_is_refused_anew_and_what_nobody_changed_waits(
    refused_wages: list[list[str]], warehouse: str, clean: Clean, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    rows[0]["业务日期"] = "2024-02-31"
    rows[1]["参保地区划"] = refused_wages[1][4]
    outcome = feed_run.replay(WAGES, send_back(file, rows))
    assert (outcome.accepted, outcome.refused, outcome.untouched) == (1, 1, 2)
    again = exported(warehouse, WAGES, file)
    # The row that was mended badly waits under its new token; the two others under theirs.
    assert len(again) == 3
    # The first file, mended further, says where the badly mended row is now.
    other = tmp_path / "again.csv"
    other.write_bytes(file.read_bytes())
    with pytest.raises(FeedError, match=f"batch {outcome.batch_id} refused 1 anew") as told:
        feed_run.replay(WAGES, send_back(other, [{**rows[0], "业务日期": refused_wages[0][12]}]))
    assert f"--batch {outcome.batch_id}" in str(told.value)
    assert {row[TOKEN] for row in again} & {row[TOKEN] for row in rows} == {rows[2][TOKEN], rows[3][TOKEN]}
    worse = next(row for row in again if row["业务日期"] == "2024-02-31")
    worse["业务日期"] = refused_wages[0][12]
    second = feed_run.replay(WAGES, send_back(file, [worse]))
    # Its document number still is the one that first landed.
    assert (second.accepted, second.refused) == (1, 0)
    with psycopg.connect(warehouse) as connection:
        persons = connection.execute("select count(distinct person_id) from raw.hrss_wage_records").fetchone()
    assert persons == (58,)
    assert len(refusals(warehouse)) == 2


def test_a_new_whole_delivery_replaces_repairs(
    refused_wages: list[list[str]], wages: WageFolder, warehouse: str, clean: Clean, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    rows[0]["业务日期"], rows[0]["缴费工资"] = refused_wages[0][12], "9999.00"
    rows[1]["业务日期"] = "2024-02-31"
    feed_run.replay(WAGES, send_back(file, rows[:2]))
    wages.send(wage_part(wage_rows()))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}


def test_a_replay_that_was_killed_before_its_load_is_loaded_by_the_next_run(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)[:1]
    rows[0]["业务日期"] = refused_wages[0][12]

    def die(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "load_one", die)
        with pytest.raises(KeyboardInterrupt):
            feed_run.replay(WAGES, send_back(file, rows))
    assert len(refusals(warehouse)) == 4
    assert len(feed_run.load(WAGES, MONTH)) == 1
    assert sorted(refusals(warehouse)) == [2, 3, 4]


def test_a_batch_that_is_judged_again_does_not_ask_for_repairs_twice(
    refused_wages: list[list[str]], warehouse: str, clean: Clean, tmp_path: Path
) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)[:2]
    rows[0]["业务日期"], rows[1]["参保地区划"] = refused_wages[0][12], refused_wages[1][4]
    outcome = feed_run.replay(WAGES, send_back(file, rows))
    before = content(warehouse, WAGES)
    feed_run.judge_again(outcome.batch_id - 1)
    assert content(warehouse, WAGES) == before
    assert sorted(refusals(warehouse)) == [3, 4]
    feed_run.judge_again(outcome.batch_id)
    assert content(warehouse, WAGES) == before
    assert sorted(refusals(warehouse)) == [3, 4]
    assert statuses(warehouse) == ["superseded", "superseded", "loaded", "loaded"]


@pytest.fixture
def renumbered(
    wages: WageFolder, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[list[str]], list[dict[str, str]]]:
    """A loaded month whose second line the contract has come to take for a total since its refusals were exported.

    Rows three and four, alike but for their persons and what is wrong with them, have become two and three.

    Returns:
        The rows as they should have been, and as they were exported.
    """
    right = wage_rows()
    right[3] = [right[2][0], right[3][1], *right[2][2:]]
    sent = [list(row) for row in right]
    sent[1] = ["本页", *[""] * (len(right[1]) - 1)]
    sent[2][12] = sent[3][12] = "2024-02-30"
    wages.send(wage_part(sent))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    rows = exported(warehouse, WAGES, tmp_path / "exported.csv")
    assert [row["数据行(不含表头)"] for row in rows] == ["2", "3", "4"]
    folder = tmp_path / "contracts" / "hrss"
    folder.mkdir(parents=True)
    written = (Settings.load().contracts_folder / f"{WAGES}.odcs.yaml").read_text(encoding="utf-8")
    assert "(合计|小计|总计)" in written
    (folder / "wage_records.odcs.yaml").write_text(written.replace("(合计|", "(本页|合计|"), encoding="utf-8")
    changed = find_contract(folder.parent, WAGES)
    for module in (replaying, loading):
        monkeypatch.setattr(module, "find_contract", lambda *_: changed)
    return right, rows


def persons_of(warehouse: str) -> list[str]:
    with psycopg.connect(warehouse) as connection:
        return [str(row[0]) for row in connection.execute("select person_id from raw.hrss_wage_records order by 1")]


def pseudonyms_of(rows: list[list[str]]) -> list[str]:
    hashed = pseudonyms(load_key(), pl.Series([row[1] for row in rows]))
    return sorted(str(uuid.UUID(one)) for one in hashed)


def test_a_repair_never_gets_the_number_of_another_row(
    renumbered: tuple[list[list[str]], list[dict[str, str]]], warehouse: str, tmp_path: Path
) -> None:
    right, rows = renumbered
    rows[1]["业务日期"] = right[2][12]
    with pytest.raises(FeedError, match=f"token {rows[1][TOKEN]} is not certain") as told:
        feed_run.replay(WAGES, send_back(tmp_path / "back.csv", rows))
    assert (told.value.feed, told.value.file, told.value.row) == (WAGES, "back.csv", 2)
    assert "document number" in (told.value.advice or "")
    assert (statuses(warehouse), sorted(refusals(warehouse))) == (["loaded"], [2, 3, 4])
    # With its number the row is whole, whatever stands where it stood.
    rows[1]["证件号码"] = right[2][1]
    assert feed_run.replay(WAGES, send_back(tmp_path / "back.csv", rows)).accepted == 1
    assert persons_of(warehouse) == pseudonyms_of([right[0], right[2], *right[4:]])


def test_a_token_that_is_another_row_s_since_it_was_sent_out_is_refused(
    renumbered: tuple[list[list[str]], list[dict[str, str]]], warehouse: str, tmp_path: Path
) -> None:
    right, rows = renumbered
    again = feed_run.judge_again(int(rows[1]["退回批次"]))
    assert sorted(refusals(warehouse)) == [2, 3]
    rows[1]["业务日期"], rows[1]["证件号码"] = right[2][12], right[2][1]
    with pytest.raises(FeedError, match=f"judged again by batch {again}, the token may stand for another row") as told:
        feed_run.replay(WAGES, send_back(tmp_path / "back.csv", rows[1:2]))
    assert (told.value.row, "export" in (told.value.advice or "")) == (1, True)
    assert sorted(refusals(warehouse)) == [2, 3]
    anew = exported(warehouse, WAGES, tmp_path / "anew.csv")
    anew[0]["业务日期"] = right[2][12]
    assert feed_run.replay(WAGES, send_back(tmp_path / "anew.csv", anew)).accepted == 1
    assert persons_of(warehouse) == pseudonyms_of([right[0], right[2], *right[4:]])


def test_rows_of_a_stopped_batch_are_left_aside_and_the_others_taken(
    refused_wages: list[list[str]],
    wages: WageFolder,
    warehouse: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)
    sent = wage_rows()
    for row in sent[4:50]:
        row[4] = "999999"
    wages.send(wage_part(sent))
    feed_run.land(WAGES, MONTH)
    with pytest.raises(BatchStoppedError):
        feed_run.load(WAGES, MONTH)
    assert statuses(warehouse) == ["loaded", "stopped"]
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    stopped = [row for row in rows if row["退回批次"] == "2"]
    assert (len(rows), len(stopped)) == (50, 46)
    for row in rows:
        row["参保地区划"] = refused_wages[1][4]
    with pytest.raises(FeedError, match=rf"nothing was loaded.*batch 2 \({MONTH}\): 46") as told:
        feed_run.replay(WAGES, send_back(file, stopped))
    assert "send those deliveries again" in (told.value.advice or "")
    # Those of the stopped batch first: none of them keeps out what comes behind.
    send_back(file, [*stopped, rows[1]])
    done = CliRunner().invoke(app, ["quarantine", "replay", WAGES, str(file), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    said = json.loads(done.stdout)
    assert (said["accepted"], said["refused"], said["untouched"]) == (1, 0, 0)
    assert said["left_aside"] == [{"batch_id": 2, "delivery": MONTH, "rows": 46}]
    assert len(refusals(warehouse)) == 49
    rows[0]["业务日期"] = refused_wages[0][12]
    done = CliRunner().invoke(app, ["quarantine", "replay", WAGES, str(send_back(file, [rows[0], *stopped]))])
    assert "Left aside 46 rows of batch 2, which was stopped" in " ".join(done.stdout.split())
    assert f"send delivery {MONTH} again" in " ".join(done.stdout.split())


def test_rows_of_before_a_feed_came_by_another_cadence_are_taken_and_judged_again(
    refused_wages: list[list[str]],
    wages: WageFolder,
    warehouse: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = exported(warehouse, WAGES, tmp_path / "refused.csv")
    short = wage_rows()[:20]
    wages.send(wage_part(short), rows=len(short))
    feed_run.land(WAGES, MONTH)
    with pytest.raises(BatchStoppedError, match=SHRUNK):
        feed_run.load(WAGES, MONTH)
    monthly = find_contract(Settings.load().contracts_folder, WAGES)
    quarterly = dataclasses.replace(monthly, cadence="quarter", first_delivery="2023Q1")
    for module in (replaying, loading):
        monkeypatch.setattr(module, "find_contract", lambda *_: quarterly)
    monkeypatch.setattr(asked, "contracts_of", lambda *_: [quarterly])
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)
    asked.check_delivery(Settings.load(), MONTH, WAGES)
    with pytest.raises(SettingsError, match="comes by quarter"):
        asked.check_delivery(Settings.load(), "2024-08", WAGES)
    rows[0]["业务日期"] = refused_wages[0][12]
    outcome = feed_run.replay(WAGES, send_back(tmp_path / "back.csv", [rows[0]]))
    assert outcome.accepted == 1
    assert feed_run.judge_again(outcome.batch_id)
    assert feed_run.judge_again(1)
    accepted = feed_run.accept(2, accepted_by="an officer", reason="notice 12")
    with psycopg.connect(warehouse) as connection:
        assert get_batch(connection, accepted).delivery == MONTH


def test_tokens_that_slipped_against_their_rows_are_refused_whole(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path
) -> None:
    right = exported(warehouse, WAGES, tmp_path / "refused.csv")[:3]
    right[0]["业务日期"], right[1]["参保地区划"] = refused_wages[0][12], refused_wages[1][4]
    rows = [dict(row) for row in right]
    rows[0][TOKEN], rows[1][TOKEN] = rows[1][TOKEN], rows[0][TOKEN]
    back = tmp_path / "back.csv"
    with pytest.raises(FeedError, match="says that it is another one") as told:
        feed_run.replay(WAGES, send_back(back, [rows[2], *rows[:2]]))
    assert (told.value.feed, told.value.file, told.value.row) == (WAGES, "back.csv", 2)
    # One of the two columns is enough, and one row among right ones.
    name, number = "来源文件", "数据行(不含表头)"
    for other in ({number: "3"}, {name: "wage_202406_part01of01.csv.gz"}):
        with pytest.raises(FeedError, match="says that it is another one"):
            feed_run.replay(WAGES, send_back(back, [right[0], {**right[1], **other}]))
    assert (statuses(warehouse), sorted(refusals(warehouse))) == (["loaded"], [1, 2, 3, 4])
    # What is not said cannot be compared: a row without them is taken by its token.
    unsaid = {column: value for column, value in right[0].items() if column not in {name, number}}
    assert feed_run.replay(WAGES, send_back(back, [unsaid])).accepted == 1
    assert feed_run.replay(WAGES, send_back(back, [{**right[1], name: "", number: " 2 "}])).accepted == 1


def test_a_file_from_before_a_judgement_that_changed_nothing_is_taken(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path
) -> None:
    rows = exported(warehouse, WAGES, tmp_path / "refused.csv")
    feed_run.judge_again(int(rows[0]["退回批次"]))
    rows[1]["参保地区划"] = refused_wages[1][4]
    assert feed_run.replay(WAGES, send_back(tmp_path / "back.csv", rows[:2])).accepted == 1


def test_a_row_that_is_known_by_no_column_has_no_number_to_keep(
    refused_wages: list[list[str]], warehouse: str, tmp_path: Path
) -> None:
    row = exported(warehouse, WAGES, tmp_path / "refused.csv")[3]
    row["缴费工资"] = "7000"
    with pytest.raises(FeedError, match=f"token {row[TOKEN]} is not certain"):
        feed_run.replay(WAGES, send_back(tmp_path / "back.csv", [row]))
    feed_run.judge_again(int(row["退回批次"]))
    with pytest.raises(FeedError, match="may stand for another row"):
        feed_run.replay(WAGES, send_back(tmp_path / "back.csv", [row]))


def test_a_file_that_is_no_export_is_named(refused_wages: list[list[str]], warehouse: str, tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    rows = exported(warehouse, WAGES, file)
    without = [{name: value for name, value in row.items() if name != "险种"} for row in rows]
    with pytest.raises(FeedError, match="no column '险种'") as told:
        feed_run.replay(WAGES, send_back(file, without))
    assert (told.value.feed, told.value.file, told.value.column) == (WAGES, "refused.csv", "险种")
    with pytest.raises(FeedError, match="stands in the file twice") as told:
        feed_run.replay(WAGES, send_back(file, [rows[0], rows[0]]))
    assert told.value.row == 2
    with pytest.raises(FeedError, match="under the row's token") as told:
        feed_run.replay(WAGES, send_back(file, [{**rows[0], TOKEN: "999-1"}]))
    assert told.value.row == 1
    assert "999-1" not in str(told.value)
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("gb18030"))
    with pytest.raises(FeedError, match="not UTF-8"):
        feed_run.replay(WAGES, file)
    assert statuses(warehouse) == ["loaded"]


def test_a_workbook_comes_back_as_a_workbook(drop: Path, warehouse: str, clean: Clean, tmp_path: Path) -> None:
    rows = enterprise_rows()
    rows[0][10], rows[1][5] = "#REF!", "#N/A"
    (drop / "hrss" / ENTERPRISE_FILE).write_bytes(enterprise_book(rows))
    feed_run.land(ENTERPRISES, "2024Q3")
    feed_run.load(ENTERPRISES, "2024Q3")
    file = tmp_path / "refused.xlsx"
    with psycopg.connect(warehouse) as connection:
        quarantine.export(
            connection, find_contract(Settings.load().contracts_folder, ENTERPRISES), file, is_synthetic=True
        )
    book = openpyxl.load_workbook(file)
    sheet = book.active
    places = {cell.value: cell.column for cell in sheet[1]}
    right = enterprise_rows()
    sheet.cell(2, places["职工情况/职工总数"]).value = right[0][10]
    sheet.cell(3, places["所在地/行政区划代码"]).value = right[1][5]
    book.save(file)
    outcome = feed_run.replay(ENTERPRISES, file)
    assert (outcome.accepted, outcome.refused) == (2, 0)
    assert content(warehouse, ENTERPRISES) == clean[ENTERPRISES]
    assert refusals(warehouse) == {}


def test_changes_of_a_gateway_are_mended_too(reading: Departments, warehouse: str, tmp_path: Path) -> None:
    feed_run.land(TRAINING, LAST_DAY)
    feed_run.load(TRAINING, LAST_DAY)
    before = content(warehouse, TRAINING)[0]
    file = tmp_path / "refused.csv"
    every = exported(warehouse, TRAINING, file)
    # missing, or before the first day: which of them the dice chose does not matter
    rows = [row for row in every if row["plannedEndDate"] < row["startDate"]]
    assert rows
    for row in rows:
        row["plannedEndDate"] = row["startDate"]
    outcome = feed_run.replay(TRAINING, send_back(file, rows))
    assert outcome.accepted == len(rows)
    assert content(warehouse, TRAINING)[0] == before + len(rows)
    assert len(refusals(warehouse)) == len(every) - len(rows)
