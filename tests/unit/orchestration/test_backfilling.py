"""What a backfill says that it will run is what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError, ServiceError, SettingsError, SourceUnavailableError
from threegaps.feed_run.unloaded import Looked, Unloaded
from threegaps.labels import BACKFILL_REASONS
from threegaps.orchestration import backfilling
from threegaps.orchestration.timetable import DeliveryTimetable
from threegaps.settings import Settings

FEED = "hrss/wage_records"
SETTINGS = Settings.load({"THREEGAPS_SANDBOX": "1", "THREEGAPS_SANDBOX_LAST_DAY": "2026-06-30"})
CONTRACT = find_contract(SETTINGS.contracts_folder, FEED)
DAG_ID = "feed_hrss_wage_records"


class Airflow:
    """Answers as Airflow does of runs by delivery: `success`, `failed`, `running`, or none."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states, self.is_paused, self.under_way = states, False, None
        self.asked: list[Any] = []

    def dags(self) -> dict[str, dict[str, Any]]:
        return {DAG_ID: {"is_paused": self.is_paused}}

    def backfill_under_way(self, dag_id: str) -> int | None:
        assert dag_id == DAG_ID
        return self.under_way

    def _window(self, first_day: str, last_day: str) -> list[str]:
        import datetime as dt

        infos = DeliveryTimetable("month", CONTRACT.due_cron).iter_partition_dagrun_infos(
            earliest=dt.datetime.fromisoformat(f"{first_day}T00:00:00+00:00"),
            latest=dt.datetime.fromisoformat(f"{last_day}T00:00:00+00:00"),
        )
        return [str(info.partition_key) for info in infos]

    def backfill_dry_run(self, dag_id: str, *, first_day: str, last_day: str, behavior: str) -> set[str]:
        again = {"none": set(), "failed": {"failed"}, "completed": {"failed", "success"}}[behavior] | {None}
        return {key for key in self._window(first_day, last_day) if self.states.get(key) in again}

    def backfill(self, dag_id: str, *, first_day: str, last_day: str, again: bool) -> dict[str, Any]:
        behavior = "completed" if again else "failed"
        keys = self.backfill_dry_run(dag_id, first_day=first_day, last_day=last_day, behavior=behavior)
        self.asked += sorted(keys)
        return {"id": 7}

    def trigger(self, dag_id: str, *, partition_key: str) -> dict[str, Any]:
        self.asked.append(partition_key)
        return {"dag_run_id": f"manual__{partition_key}"}


Lies = Callable[..., None]


@pytest.fixture
def lies(monkeypatch: pytest.MonkeyPatch) -> Lies:
    """Sets what lies there unloaded, what has been loaded, and what fetched without having come whole."""

    def set_to(found: dict[str, Unloaded], loaded: Iterable[str] = (), fetched: Iterable[str] = ()) -> None:
        monkeypatch.setattr(
            backfilling,
            "look_for_unloaded",
            lambda feed, keys: Looked(
                {key: one for key, one in found.items() if key in keys},
                loaded=frozenset(loaded) & set(keys),
                fetched=frozenset(fetched) & set(keys),
            ),
        )

    set_to({})
    return set_to


def planned(api: Any, first: str, last: str, *, again: bool = False) -> backfilling.Plan:
    return backfilling.plan(SETTINGS, api, CONTRACT, backfilling.wanted_deliveries(CONTRACT, first, last), again=again)


def whys(plan: backfilling.Plan) -> dict[str, str]:
    assert all(one.why in BACKFILL_REASONS for one in plan.deliveries)
    return {one.delivery: one.why for one in plan.deliveries}


STATES = {"2026-01": "success", "2026-02": "failed", "2026-03": "running", "2026-05": "success"}


def test_each_delivery_is_told_why_it_runs_or_not(lies: Lies) -> None:
    api = Airflow(STATES)
    plan = planned(api, "2026-01", "2026-07")
    assert whys(plan) == {
        "2026-01": "succeeded",
        "2026-02": "failed_before",
        "2026-03": "under_way",
        "2026-04": "never_run",
        "2026-05": "succeeded",
        "2026-06": "never_run",
        "2026-07": "not_over",
    }
    started = backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]  # answers as Airflow does
    assert api.asked == ["2026-02", "2026-04", "2026-06"] == [one.delivery for one in plan.running()]
    assert (started.backfill_id, started.run_ids) == (7, ())


def test_again_runs_what_has_succeeded(lies: Lies) -> None:
    api = Airflow(STATES)
    plan = planned(api, "2026-01", "2026-05", again=True)
    assert [one.why for one in plan.deliveries] == ["again", "failed_before", "under_way", "never_run", "again"]
    backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert api.asked == ["2026-01", "2026-02", "2026-04", "2026-05"] == [one.delivery for one in plan.running()]


def test_a_correction_that_lies_there_is_taken_up(lies: Lies) -> None:
    lies({"2026-01": Unloaded(corrections=1)})
    api = Airflow({"2026-01": "success", "2026-02": "success"})
    plan = planned(api, "2026-01", "2026-02")
    assert whys(plan) == {"2026-01": "not_loaded", "2026-02": "succeeded"}
    assert plan.deliveries[0].unloaded == Unloaded(corrections=1)
    started = backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert (started.backfill_id, started.run_ids, api.asked) == (None, ("manual__2026-01",), ["2026-01"])


def test_a_file_that_may_still_be_being_written_is_waited_for(lies: Lies) -> None:
    lies({"2026-01": Unloaded(is_settling=True), "2026-02": Unloaded(parts=1, is_settling=True)})
    api = Airflow({"2026-01": "success", "2026-02": "success"})
    plan = planned(api, "2026-01", "2026-02")
    assert whys(plan) == {"2026-01": "settling", "2026-02": "not_loaded"}
    started = backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert (started.backfill_id, started.run_ids) == (None, ("manual__2026-01", "manual__2026-02"))


def test_a_correction_among_others_runs_beside_them_and_nothing_else_does(lies: Lies) -> None:
    lies({"2026-03": Unloaded(landed=1)})
    api = Airflow({"2026-02": "success", "2026-03": "success", "2026-04": "success"})
    plan = planned(api, "2026-01", "2026-05")
    backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert api.asked == ["2026-01", "2026-05", "2026-03"]
    assert {one.delivery for one in plan.running()} == set(api.asked)


def test_nothing_is_asked_for_where_nothing_runs(lies: Lies) -> None:
    api = Airflow({"2026-01": "success"})
    plan = planned(api, "2026-01", "2026-01")
    assert plan.running() == []
    assert backfilling.start(api, CONTRACT, plan) == backfilling.Started(None, ())  # type: ignore[arg-type]
    assert api.asked == []


def test_it_goes_on_where_a_cancelled_one_ended(lies: Lies) -> None:
    # Airflow lets what was queued fail when a backfill is cancelled.
    api = Airflow({"2026-01": "success", "2026-02": "running", "2026-03": "failed", "2026-04": "failed"})
    plan = planned(api, "2026-01", "2026-04")
    backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert api.asked == ["2026-03", "2026-04"]


def test_a_second_one_beside_it_is_refused_in_plain_words(lies: Lies) -> None:
    api = Airflow({})
    api.under_way = 3  # type: ignore[assignment]
    plan = planned(api, "2026-01", "2026-02")
    with pytest.raises(ServiceError, match="Backfill 3 of hrss/wage_records has not ended"):
        backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert api.asked == []


def test_a_department_that_cannot_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = SourceUnavailableError("It cannot be reached.", feed=FEED)
    monkeypatch.setattr(backfilling, "look_for_unloaded", lambda *_: Looked({}, fault))
    plan = planned(Airflow({"2026-01": "success"}), "2026-01", "2026-02")
    assert plan.fault is fault
    assert whys(plan) == {"2026-01": "not_looked", "2026-02": "never_run"}
    assert plan.is_shut_out, "a system that does not answer"


def test_a_folder_in_which_something_is_wrong_keeps_no_other_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "look_for_unloaded", lambda *_: Looked({}, FeedError("A file too many.")))
    assert not planned(Airflow({}), "2026-01", "2026-02").is_shut_out


@pytest.mark.parametrize(
    ("first", "last", "words"), [("2026-02", "2026-01", "No delivery lies"), ("2001-01", "2026-01", "before the first")]
)
def test_a_window_that_makes_no_sense_is_refused(first: str, last: str, words: str, lies: Lies) -> None:
    with pytest.raises(SettingsError, match=words):
        planned(Airflow({}), first, last)


def test_what_another_run_has_loaded_is_not_called_never_run(lies: Lies) -> None:
    """One run loads all deliveries up to its own, and a run without a key is of no delivery for Airflow."""
    months = [f"2026-0{month}" for month in range(1, 7)]
    lies({"2026-03": Unloaded(corrections=1)}, loaded=months[:4], fetched=months[:5])
    api = Airflow({"2026-02": "success"})
    plan = planned(api, "2026-01", "2026-06")
    assert whys(plan) == dict(
        zip(months, ("loaded", "succeeded", "not_loaded", "loaded", "fetched_before", "never_run"), strict=True)
    )
    started = backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    # A backfill of the window would run what has been loaded, too.
    assert api.asked == ["2026-03", "2026-05", "2026-06"] == [one.delivery for one in plan.running()]
    assert (started.backfill_id, len(started.run_ids)) == (None, 3)


def test_a_window_without_what_has_been_loaded_is_a_backfill(lies: Lies) -> None:
    lies({}, loaded=["2026-01"], fetched=["2026-01", "2026-02"])
    api = Airflow({})
    started = backfilling.start(api, CONTRACT, planned(api, "2026-01", "2026-03"))  # type: ignore[arg-type]
    assert (api.asked, started.backfill_id, started.run_ids) == (["2026-02", "2026-03"], 7, ())


def test_again_runs_what_another_run_has_loaded(lies: Lies) -> None:
    lies({}, loaded=["2026-01", "2026-02"], fetched=["2026-01", "2026-02"])
    api = Airflow({})
    plan = planned(api, "2026-01", "2026-02", again=True)
    assert [one.why for one in plan.deliveries] == ["again", "again"]
    backfilling.start(api, CONTRACT, plan)  # type: ignore[arg-type]
    assert api.asked == ["2026-01", "2026-02"]
