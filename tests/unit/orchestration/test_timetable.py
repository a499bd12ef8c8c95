"""The timetable of deliveries: scheduled, manual and backfilled runs of a delivery are the same run."""

from __future__ import annotations

import datetime as dt

import pendulum
import pytest
from airflow._shared.timezones.timezone import coerce_datetime
from airflow.exceptions import AirflowTimetableInvalid, InvalidPartitionKeyError
from airflow.models import backfill
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables import trigger
from airflow.timetables.base import DagRunInfo, TimeRestriction

from threegaps.calendar import Cadence
from threegaps.orchestration import timetable as module
from threegaps.orchestration.timetable import DeliveryTimetable
from threegaps.settings import SHANGHAI

NO_RESTRICTION = TimeRestriction(earliest=None, latest=None, catchup=False)


def at(text: str) -> pendulum.DateTime:
    return pendulum.instance(dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)).in_timezone("UTC")


@pytest.mark.parametrize(
    ("cadence", "cron", "tick", "delivery"),
    [
        ("day", "0 6 * * *", "2026-06-04T06:00", "2026-06-03"),
        ("day", "0 6 * * *", "2026-01-01T06:00", "2025-12-31"),
        ("month", "0 8 20 * *", "2026-07-20T08:00", "2026-06"),
        ("month", "0 8 20 * *", "2026-01-20T08:00", "2025-12"),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-07-15T09:00", "2026Q2"),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-01-15T09:00", "2025Q4"),
        ("term", "0 9 10 3,9 *", "2026-03-10T09:00", "2025-2026-1"),
        ("term", "0 9 10 3,9 *", "2026-09-10T09:00", "2025-2026-2"),
        ("year", "0 9 1 3 *", "2027-03-01T09:00", "2026"),
    ],
)
def test_a_tick_is_when_the_last_finished_delivery_is_due(
    cadence: Cadence, cron: str, tick: str, delivery: str
) -> None:
    assert DeliveryTimetable(cadence, cron).delivery_due(at(tick)).key == delivery


@pytest.mark.parametrize(
    ("cadence", "cron", "moment", "delivery"),
    [
        ("day", "0 6 * * *", "2026-06-04T05:59", "2026-06-02"),
        ("day", "0 6 * * *", "2026-06-04T06:00", "2026-06-03"),
        ("day", "0 6 * * *", "2026-06-04T23:59", "2026-06-03"),
        # The month has ended, and is not due yet.
        ("month", "0 8 20 * *", "2026-07-19T12:00", "2026-05"),
        ("month", "0 8 20 * *", "2026-07-31T23:59", "2026-06"),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-07-14T09:00", "2026Q1"),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-09-30T09:00", "2026Q2"),
        ("term", "0 9 10 3,9 *", "2026-02-28T09:00", "2024-2025-2"),
        ("term", "0 9 10 3,9 *", "2026-03-10T09:00", "2025-2026-1"),
        ("year", "0 9 1 3 *", "2027-02-28T09:00", "2025"),
        ("year", "0 9 1 3 *", "2028-02-29T09:00", "2026"),
    ],
)
def test_a_run_without_a_key_is_of_the_newest_delivery_that_is_due(
    cadence: Cadence, cron: str, moment: str, delivery: str
) -> None:
    timetable = DeliveryTimetable(cadence, cron)
    assert timetable.newest_due(at(moment)).key == delivery
    # As the run carries it, whatever its zone; asked again it is the same.
    assert timetable.newest_due(at(moment).in_timezone("America/New_York")).key == delivery


def test_a_run_without_a_key_goes_not_beyond_the_last_delivery() -> None:
    timetable = DeliveryTimetable("month", "0 8 20 * *", last_delivery="2026-04")
    assert timetable.newest_due(at("2026-11-27T00:00")).key == "2026-04"
    assert timetable.newest_due(at("2026-04-27T00:00")).key == "2026-03"


def test_the_first_hours_of_a_day_are_already_that_day_in_the_province() -> None:
    # 06:00 in Shanghai is 22:00 UTC of the day before.
    assert DeliveryTimetable("day", "0 6 * * *").delivery_due(at("2026-06-04T06:00")).key == "2026-06-03"


def test_a_scheduled_run_carries_delivery_and_its_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "utcnow", lambda: at("2026-07-21T00:00"))
    timetable = DeliveryTimetable("month", "0 8 20 * *")
    last = DagRunInfo(run_after=at("2026-05-20T08:00"), data_interval=None)
    info = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=NO_RESTRICTION)
    assert info is not None
    assert (info.run_after, info.partition_key, info.partition_date) == (
        at("2026-07-20T08:00"),
        "2026-06",
        at("2026-06-01T00:00"),
    )


def test_without_catchup_only_the_latest_missed_tick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "utcnow", lambda: at("2026-06-30T12:00"))
    timetable = DeliveryTimetable("day", "0 6 * * *")
    last = DagRunInfo(run_after=at("2026-01-01T06:00"), data_interval=None)
    missed = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=NO_RESTRICTION)
    every = timetable.next_dagrun_info_v2(
        last_dagrun_info=last, restriction=TimeRestriction(earliest=None, latest=None, catchup=True)
    )
    assert missed is not None
    assert every is not None
    assert (missed.partition_key, every.partition_key) == ("2026-06-29", "2026-01-01")


def test_a_new_dag_waits_for_its_next_due_day(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (module, trigger):
        monkeypatch.setattr(where, "utcnow", lambda: at("2026-06-30T06:01"))
    info = DeliveryTimetable("day", "0 6 * * *").next_dagrun_info_v2(last_dagrun_info=None, restriction=NO_RESTRICTION)
    assert info is not None
    assert (info.run_after, info.partition_key) == (at("2026-07-01T06:00"), "2026-06-30")


def test_scheduling_ends_with_the_last_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "utcnow", lambda: at("2026-07-02T12:00"))
    timetable = DeliveryTimetable("day", "0 6 * * *", last_delivery="2026-06-30")
    before = DagRunInfo(run_after=at("2026-06-30T06:00"), data_interval=None)
    assert timetable.next_dagrun_info_v2(last_dagrun_info=before, restriction=NO_RESTRICTION) is None
    # Asked for by hand, a later delivery is still a delivery.
    assert timetable.resolve_partition_date("2026-07-01") == at("2026-07-01T00:00")


def test_nothing_is_scheduled_after_the_dags_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "utcnow", lambda: at("2026-07-21T00:00"))
    restriction = TimeRestriction(earliest=None, latest=at("2026-07-01T00:00"), catchup=False)
    last = DagRunInfo(run_after=at("2026-05-20T08:00"), data_interval=None)
    assert (
        DeliveryTimetable("month", "0 8 20 * *").next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction)
        is None
    )


def test_a_backfill_gives_each_delivery_once_and_not_before_it_is_due() -> None:
    infos = list(
        DeliveryTimetable("quarter", "0 9 15 1,4,7,10 *").iter_partition_dagrun_infos(
            earliest=dt.datetime(2025, 7, 1, tzinfo=dt.UTC), latest=dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
        )
    )
    assert [info.partition_key for info in infos] == ["2025Q3", "2025Q4", "2026Q1", "2026Q2"]
    assert infos[0].run_after == at("2025-10-15T09:00")
    assert infos[0].partition_date == at("2025-07-01T00:00")


@pytest.mark.parametrize(
    ("cadence", "cron", "first", "last", "deliveries"),
    [
        # As Airflow's page sends what is asked for in Shanghai: midnights there, or the last day's end.
        ("day", "0 6 * * *", "2026-06-02T16:00Z", "2026-06-02T16:00Z", ["2026-06-03"]),
        ("day", "0 6 * * *", "2026-06-02T16:00Z", "2026-06-03T15:59:59Z", ["2026-06-03"]),
        ("day", "0 6 * * *", "2026-02-27T16:00Z", "2026-03-01T16:00Z", ["2026-02-28", "2026-03-01", "2026-03-02"]),
        ("month", "0 8 20 * *", "2026-02-28T16:00Z", "2026-03-30T16:00Z", ["2026-03"]),
        ("month", "0 8 20 * *", "2026-02-28T16:00Z", "2026-02-28T16:00Z", ["2026-03"]),
        ("month", "0 8 20 * *", "2025-12-31T16:00Z", "2026-02-28T16:00Z", ["2026-01", "2026-02", "2026-03"]),
        ("quarter", "0 9 15 1,4,7,10 *", "2025-12-31T16:00Z", "2026-06-30T15:59Z", ["2026Q1", "2026Q2"]),
        ("term", "0 9 10 3,9 *", "2025-08-31T16:00Z", "2026-01-31T16:00Z", ["2025-2026-1", "2025-2026-2"]),
        ("year", "0 9 1 3 *", "2025-12-31T16:00Z", "2025-12-31T16:00Z", ["2026"]),
        # In UTC: the command line's midnights.
        ("day", "0 6 * * *", "2026-06-03T00:00Z", "2026-06-04T00:00Z", ["2026-06-03", "2026-06-04"]),
        ("month", "0 8 20 * *", "2026-01-01T00:00Z", "2026-03-01T00:00Z", ["2026-01", "2026-02", "2026-03"]),
        ("year", "0 9 1 3 *", "2025-01-01T00:00Z", "2026-01-01T00:00Z", ["2025", "2026"]),
        # From elsewhere, and with the zone written out.
        ("day", "0 6 * * *", "2026-06-03T00:00+08:00", "2026-06-03T23:00+08:00", ["2026-06-03"]),
        ("month", "0 8 20 * *", "2026-02-28T11:00-05:00", "2026-02-28T11:00-05:00", ["2026-03"]),
        # The last days of months, and a leap day.
        ("month", "0 8 20 * *", "2026-01-30T16:00Z", "2026-01-31T16:00Z", ["2026-02"]),
        ("day", "0 6 * * *", "2028-02-28T16:00Z", "2028-02-29T16:00Z", ["2028-02-29", "2028-03-01"]),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-03-31T16:00Z", "2026-04-30T16:00Z", ["2026Q2"]),
        ("quarter", "0 9 15 1,4,7,10 *", "2026-03-31T15:59Z", "2026-03-31T16:00Z", ["2026Q2"]),
        ("term", "0 9 10 3,9 *", "2026-01-31T16:00Z", "2026-08-31T16:00Z", ["2025-2026-2", "2026-2027-1"]),
        ("year", "0 9 1 3 *", "2024-12-31T16:00Z", "2025-12-31T15:59Z", ["2025"]),
        # Without a zone, as the command line of Airflow may send it: UTC.
        ("day", "0 6 * * *", "2026-06-02T16:00", "2026-06-02T16:00", ["2026-06-03"]),
        ("month", "0 8 20 * *", "2026-03-01T00:00", "2026-03-31T00:00", ["2026-03"]),
        ("year", "0 9 1 3 *", "2025-01-01", "2025-12-31", ["2025"]),
    ],
)
def test_a_backfill_asked_for_on_the_page_gives_the_province_s_deliveries(
    cadence: Cadence, cron: str, first: str, last: str, deliveries: list[str]
) -> None:
    with DAG("asked_for", schedule=DeliveryTimetable(cadence, cron), start_date=None) as dag:
        EmptyOperator(task_id="land")
    stored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    infos = backfill._get_info_list(
        # As the API does with what it is sent.
        from_date=coerce_datetime(dt.datetime.fromisoformat(first)),
        to_date=coerce_datetime(dt.datetime.fromisoformat(last)),
        reverse=False,
        dag=stored,
    )
    assert [info.partition_key for info in infos] == deliveries
    assert [info.partition_date for info in infos] == [
        stored.timetable.resolve_partition_date(key) for key in deliveries
    ]


@pytest.mark.parametrize("bound", ["2026-06-02T16:00Z", "2026-06-03T00:00Z", "2026-06-03T15:59Z"])
def test_a_bound_of_what_is_cleared_is_the_province_s_day(bound: str) -> None:
    timetable = DeliveryTimetable("day", "0 6 * * *")
    assert timetable.localize_partition_datetime(dt.datetime.fromisoformat(bound)) == at("2026-06-03T00:00")


def test_scheduled_manual_and_backfilled_runs_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "utcnow", lambda: at("2026-07-21T00:00"))
    timetable = DeliveryTimetable("month", "0 8 20 * *")
    last = DagRunInfo(run_after=at("2026-06-20T08:00"), data_interval=None)
    scheduled = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=NO_RESTRICTION)
    day = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    (backfilled,) = timetable.iter_partition_dagrun_infos(earliest=day, latest=day)
    assert scheduled == backfilled
    assert timetable.resolve_partition_date("2026-06") == backfilled.partition_date


@pytest.mark.parametrize("key", ["", "2026-13", "2026Q2", "06-2026", "2026-06-31", "build"])
def test_a_key_that_is_no_delivery_is_refused_when_asked_for(key: str) -> None:
    with pytest.raises(InvalidPartitionKeyError, match=r"delivery|date"):
        DeliveryTimetable("month", "0 8 20 * *").resolve_partition_date(key)


def test_it_survives_serialisation() -> None:
    timetable = DeliveryTimetable("quarter", "0 9 15 1,4,7,10 *", last_delivery="2026Q2")
    restored = DeliveryTimetable.deserialize(timetable.serialize())
    assert restored == timetable
    assert hash(restored) == hash(timetable)
    assert restored.partitioned
    assert restored.summary == "quarter · 0 9 15 1,4,7,10 *"


@pytest.mark.parametrize(
    "timetable",
    [
        DeliveryTimetable("day", "no cron"),
        DeliveryTimetable("day", "0 6 * * *", last_delivery="2026Q2"),
    ],
)
def test_nonsense_is_refused_when_the_dag_is_read(timetable: DeliveryTimetable) -> None:
    with pytest.raises(AirflowTimetableInvalid):
        timetable.validate()
