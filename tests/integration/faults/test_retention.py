"""What a department sends again after retention has ended the copies of the rest of its delivery."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from small_feeds import CONTROL, MONTH, PART, WAGES, WageFolder, row_count, statuses, wage_part, wage_rows

from tests.integration.faults.conftest import Departments
from threegaps import feed_run
from threegaps.contracts import loader
from threegaps.errors import ContractError
from threegaps.feed_run import sendings
from threegaps.landing.store import LandingStore
from threegaps.orchestration import tasks
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

ROWS = wage_rows()


def standing(warehouse: str) -> tuple[int, int]:
    """Rows that stand, and those of them with the wage that was sent again."""
    with psycopg.connect(warehouse) as connection:
        row = connection.execute(
            "select count(*), count(*) filter (where wage_cny_month = 7777) from raw.hrss_wage_records"
            " where not _withdrawn"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.mark.parametrize("control", ["sent again", "as it was"])
def test_a_part_is_loaded_by_itself_and_nothing_is_closed(
    reading: Departments,
    wages: WageFolder,
    warehouse: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    control: str,
) -> None:
    wages.send(wage_part(ROWS[:30]), wage_part(ROWS[30:]))
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    store = LandingStore((tmp_path / "landing").as_uri())
    with psycopg.connect(warehouse, autocommit=True) as connection:
        assert store.end_copies(connection, WAGES, dt.datetime.now(dt.UTC)) == 3
    # Two rows fewer than before in the part that comes again.
    resent = [[*ROWS[30][:9], "7777.00", *ROWS[30][10:]], *ROWS[31:58]]
    (wages.folder / PART.format(2, 2)).write_bytes(wage_part(resent))
    if control == "sent again":
        (wages.folder / CONTROL).write_text("parts=2 rows=58\n", encoding="ascii")
    feed_run.land(WAGES, MONTH)
    # Airflow takes the root logger's handlers for its own when it is first imported.
    monkeypatch.setattr(sendings.logger, "handlers", [caplog.handler])
    assert len(feed_run.load(WAGES, MONTH)) == 1
    assert any(PART.format(1, 2) in message and "retention" in message for message in caplog.messages)
    assert (standing(warehouse), row_count(warehouse, WAGES)) == ((60, 1), 60)
    # Later runs have nothing to do, and nothing waits behind it.
    assert feed_run.load(WAGES, "2024-08") == []
    assert statuses(warehouse) == ["loaded", "loaded"]


def test_the_contract_ends_copies_and_a_deployment_cannot_end_them_before_the_law_does(
    reading: Departments, wages: WageFolder, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wages.send(wage_part(ROWS[:30]), wage_part(ROWS[30:]))
    feed_run.land(WAGES, MONTH)
    monkeypatch.setenv("THREEGAPS_LANDING_RETENTION_DAYS", "30")
    ages = {1: 25, 2: 23}
    with psycopg.connect(warehouse, autocommit=True) as connection:
        for part, months in ages.items():
            connection.execute(
                "update ops.landed_object set fetched_at = now() - make_interval(months => %s) where source_name = %s",
                [months, PART.format(part, 2)],
            )
        # A contract that cannot be read keeps the copies of no other feed.
        contracts, _ = loader.load_readable(Settings.load().contracts_folder)
        unread = {"hrss/unread": ContractError("It is no contract.", feed="hrss/unread")}
        monkeypatch.setattr(loader, "load_readable", lambda _: (contracts, unread))
        with pytest.raises(AirflowFailException, match="It is no contract"):
            tasks.end_old_copies()
        ended = connection.execute("select source_name from ops.landed_object where copies_ended_at is not null")
        assert ended.fetchall() == [(PART.format(1, 2),)]
