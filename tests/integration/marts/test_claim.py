"""What is pending goes to one build; a build that fails gives it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import new_batch, small_manifest
from threegaps.errors import BuildError, LedgerError, SettingsError
from threegaps.ledger.batches import pending_batches
from threegaps.ledger.coverage import record_feed
from threegaps.marts import build, claim
from threegaps.marts.dbt_runner import ActionOutcome
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import Manifest

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def autumn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The days of these tests have come."""
    monkeypatch.setattr(claim, "today", lambda: dt.date(2026, 9, 1))


def take(dsn: str, *, manifest: Manifest | None = None, kind: claim.Kind = "affected", as_of: str | None = None) -> Any:
    with held_by_builder(dsn) as connection:
        day = dt.date.fromisoformat(as_of) if as_of else None
        return claim.claim(connection, manifest or small_manifest(), requested_by="test", kind=kind, as_of=day)


def end(dsn: str, build_id: int, status: str = "released") -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("update ops.build set status = %s where build_id = %s", [status, build_id])


def ask(dsn: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def inputs(dsn: str, build_id: int) -> list[int]:
    return [row[0] for row in ask(dsn, "select batch_id from ops.build_input where build_id = %s order by 1", build_id)]


def test_nothing_pending_gives_no_build(warehouse: str) -> None:
    assert take(warehouse) is None
    new_batch(warehouse)
    end(warehouse, take(warehouse))
    assert take(warehouse) is None
    assert ask(warehouse, "select count(*) from ops.build") == [(1,)]


def test_the_first_build_is_whole_and_later_ones_affected(warehouse: str) -> None:
    batch = new_batch(warehouse)
    first = take(warehouse)
    assert inputs(warehouse, first) == [batch]
    assert ask(warehouse, "select kind, as_of::text, status, requested_by from ops.build") == [
        ("full", "2026-06-30", "claimed", "test")
    ]
    end(warehouse, first)
    second_batch = new_batch(warehouse, county="330103")
    second = take(warehouse)
    assert inputs(warehouse, second) == [second_batch]
    assert ask(
        warehouse,
        "select indicator_code, area_code, period_start::text, period_end::text from ops.affected where build_id = %s"
        " order by 1",
        second,
    ) == [("M01-3", "330103", "2026-06-01", "2026-06-30"), ("M01-5", "330103", "2026-06-01", "2026-06-30")]


@pytest.mark.parametrize("left", ["claimed", "running", "built", "failed"])
def test_a_build_that_did_not_end_gives_its_claims_back(warehouse: str, left: str) -> None:
    batch = new_batch(warehouse)
    first = take(warehouse)
    end(warehouse, first, left)
    late = new_batch(warehouse)
    second = take(warehouse)
    assert inputs(warehouse, second) == [batch, late]
    assert ask(warehouse, "select status from ops.build order by build_id") == [("failed",), ("claimed",)]
    with pytest.raises(BuildError, match="claim again"):
        build.build(first, settings=_at(warehouse))


def test_a_smaller_number_that_commits_later_is_not_lost(warehouse: str) -> None:
    early, late = new_batch(warehouse), new_batch(warehouse)
    with psycopg.connect(warehouse) as connection:
        connection.execute("update ops.batch set status = 'judging' where batch_id = %s", [early])
    first = take(warehouse)
    assert inputs(warehouse, first) == [late]
    end(warehouse, first)
    with psycopg.connect(warehouse) as connection:
        connection.execute("update ops.batch set status = 'loaded' where batch_id = %s", [early])
    assert inputs(warehouse, take(warehouse)) == [early]


def test_only_one_builds_at_a_time_and_a_dead_builder_lets_go(warehouse: str) -> None:
    new_batch(warehouse)
    with held_by_builder(warehouse) as connection:
        with pytest.raises(BuildError, match="Another build"):
            take(warehouse)
        build_id = claim.claim(connection, small_manifest(), requested_by="a")
        assert build_id is not None
        connection.execute("update ops.build set status = 'running', started_at = now() - interval '1 hour'")
        assert claim.fail_stale(warehouse, minutes=5) == [], "its process is alive"
    assert claim.fail_stale(warehouse, minutes=120) == []
    assert claim.fail_stale(warehouse, minutes=5) == [build_id]
    with psycopg.connect(warehouse) as other:
        assert len(pending_batches(other)) == 1


def test_waiting_batches_are_seen_after_some_minutes(warehouse: str) -> None:
    assert not claim.has_unclaimed(warehouse, minutes=0)
    new_batch(warehouse)
    assert claim.has_unclaimed(warehouse, minutes=0)
    assert not claim.has_unclaimed(warehouse, minutes=5)


def test_the_wait_doubles_with_each_build_of_the_same_work_that_fails(warehouse: str) -> None:
    batch = new_batch(warehouse)
    with psycopg.connect(warehouse, autocommit=True) as connection:

        def happened(minutes_ago: int, *, failures: int) -> bool:
            connection.execute(
                "update ops.batch set finished_at = now() - interval '1 day' where batch_id = %s", [batch]
            )
            connection.execute("delete from ops.build")
            connection.execute(
                "insert into ops.build (status, failure, kind, as_of, requested_by, started_at, finished_at)"
                " select 'failed', 'build', 'full', now(), 'test', ended - interval '1 minute', ended"
                " from generate_series(1, %s) as number,"
                " lateral (select now() - make_interval(mins => %s + number - 1) as ended) as e",
                [failures, minutes_ago],
            )
            return claim.has_unclaimed(warehouse, minutes=5)

        assert happened(1, failures=0)
        assert not happened(9, failures=1)
        assert happened(11, failures=1)
        assert not happened(39, failures=3)
        assert happened(41, failures=3)
        assert not happened(319, failures=50)
        assert happened(321, failures=50)
        # What has come since is work that no build has tried.
        assert not happened(3, failures=2)
        connection.execute("update ops.batch set finished_at = now() - interval '2 minutes'")
        assert not claim.has_unclaimed(warehouse, minutes=5)
        assert claim.has_unclaimed(warehouse, minutes=1)


def test_a_changed_model_and_the_passing_of_days_are_work_too(warehouse: str) -> None:
    new_batch(warehouse)
    end(warehouse, take(warehouse))
    manifest = small_manifest()
    manifest.nodes["model.threegaps.ind_m01_3"]["checksum"]["checksum"] = "changed"  # type: ignore[index]
    changed = take(warehouse, manifest=manifest)
    assert ask(
        warehouse, "select indicator_code, area_code, period_end::text from ops.affected where build_id = %s", changed
    ) == [("M01-3", "*", "infinity")]
    end(warehouse, changed)
    assert take(warehouse, manifest=manifest) is None
    passed = take(warehouse, manifest=manifest, as_of="2026-08-15")
    assert ask(
        warehouse,
        "select indicator_code, area_code, period_start::text, period_end::text from ops.affected where build_id = %s"
        " order by 1",
        passed,
    ) == [("M01-3", "*", "2026-06-01", "2026-08-31"), ("M01-5", "*", "2026-06-01", "2026-08-31")]


def test_what_a_failed_build_made_otherwise_is_made_again(warehouse: str) -> None:
    """Its slices may stand in the warehouse, though the model, or the day, is again that of the release."""
    new_batch(warehouse)
    end(warehouse, take(warehouse))
    manifest = small_manifest()
    manifest.nodes["model.threegaps.ind_m01_3"]["checksum"]["checksum"] = "changed"  # type: ignore[index]
    end(warehouse, take(warehouse, manifest=manifest, as_of="2026-08-15"), "failed")
    back = take(warehouse)
    assert ask(
        warehouse,
        "select indicator_code, area_code, period_start::text, period_end::text from ops.affected where build_id = %s"
        " order by 1",
        back,
    ) == [("M01-3", "*", "-infinity", "infinity"), ("M01-5", "*", "2026-06-01", "2026-08-31")]
    end(warehouse, back)
    assert take(warehouse) is None


def test_work_in_hand_does_not_wait(warehouse: str) -> None:
    new_batch(warehouse)
    assert claim.has_unclaimed(warehouse, minutes=0)
    build_id = take(warehouse)
    assert not claim.has_unclaimed(warehouse, minutes=0)
    new_batch(warehouse)
    assert claim.has_unclaimed(warehouse, minutes=0)
    end(warehouse, build_id, "failed")
    assert claim.has_unclaimed(warehouse, minutes=0)


def test_no_feed_is_complete_beyond_the_day_of_the_build(warehouse: str) -> None:
    new_batch(warehouse)
    build_id = take(warehouse, as_of="2026-06-10")
    assert ask(warehouse, "select distinct covered_to::text from ops.build_coverage where build_id = %s", build_id) == [
        ("2026-06-10",)
    ]


def test_a_gap_in_a_feed_ends_what_it_covers_and_its_closing_is_work(warehouse: str) -> None:
    new_batch(warehouse, delivery="2026-03")
    new_batch(warehouse, delivery="2026-05")
    new_batch(warehouse, delivery="2026-06")
    first = take(warehouse)
    ranges = "select covered_from::text, covered_to::text from ops.build_coverage where build_id = %s order by 1"
    assert ask(warehouse, ranges, first) == [("2026-03-01", "2026-03-31"), ("2026-05-01", "2026-06-30")]
    end(warehouse, first)
    new_batch(warehouse, delivery="2026-04")
    second = take(warehouse)
    assert ask(warehouse, ranges, second) == [("2026-03-01", "2026-06-30")]
    affected = "select min(period_start)::text, max(period_end)::text from ops.affected where build_id = %s"
    assert ask(warehouse, affected, second) == [("2026-04-01", "2026-06-30")], "every stock behind the gap"


@pytest.mark.parametrize("kind", ["changes", "full_list"])
def test_what_leaves_no_gap_covers_from_the_first_delivery_that_is_expected(warehouse: str, kind: str) -> None:
    with psycopg.connect(warehouse) as connection:
        record_feed(connection, "a/b", delivery_kind=kind, first_day=dt.date(2024, 7, 1))
    new_batch(warehouse, delivery="2026-03")
    new_batch(warehouse, delivery="2026-06")
    build_id = take(warehouse, as_of="2026-06-10")
    assert ask(
        warehouse, "select covered_from::text, covered_to::text from ops.build_coverage where build_id = %s", build_id
    ) == [("2024-07-01", "2026-06-10")]


def test_a_feed_that_no_indicator_reads_is_consumed_and_makes_nothing_anew(warehouse: str) -> None:
    first = new_batch(warehouse)
    end(warehouse, take(warehouse))
    unread = new_batch(warehouse, feed="c/d", delivery="2026-07")
    build_id = take(warehouse)
    assert inputs(warehouse, build_id) == [unread] != [first]
    assert ask(warehouse, "select as_of::text from ops.build where build_id = %s", build_id) == [("2026-06-30",)]
    assert ask(warehouse, "select * from ops.affected where build_id = %s", build_id) == []
    end(warehouse, build_id)
    assert take(warehouse) is None
    assert not claim.has_unclaimed(warehouse, minutes=0)


def test_a_feed_that_no_indicator_reads_waits_for_no_other(warehouse: str) -> None:
    batch = new_batch(warehouse, feed="c/d")
    build_id = take(warehouse)
    assert inputs(warehouse, build_id) == [batch]
    assert ask(warehouse, "select as_of::text from ops.build where build_id = %s", build_id) == [("2026-06-30",)]


def test_a_day_that_nothing_reaches_is_refused(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    new_batch(warehouse)
    monkeypatch.setattr(claim, "today", lambda: dt.date(2026, 7, 15))
    with pytest.raises(SettingsError, match="2026-07-16 has not come yet") as told:
        take(warehouse, as_of="2026-07-16")
    assert told.value.advice == "build as of 2026-07-15 or earlier."
    assert ask(warehouse, "select count(*) from ops.build") == [(0,)]
    assert take(warehouse, as_of="2026-07-15") is not None
    monkeypatch.setattr(claim, "today", lambda: dt.date(2026, 6, 15))
    assert take(warehouse, as_of="2026-06-30") is not None, "a loaded delivery covers it"
    with pytest.raises(SettingsError, match="build as of 2026-06-30"):
        take(warehouse, as_of="2026-07-01")


def test_a_later_day_is_that_of_one_build_only(warehouse: str) -> None:
    new_batch(warehouse)
    end(warehouse, take(warehouse))
    later = take(warehouse, as_of="2026-08-15")
    end(warehouse, later)
    back = take(warehouse)
    assert ask(
        warehouse,
        "select b.as_of::text, min(a.period_start)::text, max(a.period_end)::text from ops.affected as a"
        " join ops.build as b using (build_id) where build_id = %s group by 1",
        back,
    ) == [("2026-06-30", "2026-06-01", "2026-08-31")]
    end(warehouse, back)
    assert take(warehouse) is None


def test_a_full_build_needs_no_arrival(warehouse: str) -> None:
    new_batch(warehouse)
    end(warehouse, take(warehouse))
    full = take(warehouse, kind="full")
    assert inputs(warehouse, full) == []
    assert ask(warehouse, "select distinct area_code from ops.affected where build_id = %s", full) == [("*",)]


def test_an_unknown_ledger_is_not_touched(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection:
        connection.execute("update ops.alembic_version set version_num = '9999'")
    with pytest.raises(LedgerError, match="9999"):
        take(warehouse)


def test_a_failure_of_dbt_fails_the_build_with_its_reasons(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = new_batch(warehouse)
    build_id = take(warehouse)
    seen: list[list[tuple[Any, ...]]] = []

    def run(settings: object, **_: object) -> tuple[ActionOutcome, ...]:
        seen.append(ask(warehouse, "select build_id, kind from ops.build_now"))
        return (
            ActionOutcome("action_1", 3, 0, 0, ()),
            ActionOutcome("action_2", 2, 1, 1, ("ind_b: division by zero",)),
        )

    monkeypatch.setattr("threegaps.marts.dbt_runner.run_build", run)
    with pytest.raises(BuildError, match="ind_b: division by zero"):
        build.build(build_id, settings=_at(warehouse))
    assert seen == [[(build_id, "full")]]
    assert ask(warehouse, "select action, status, models, failures from ops.build_action order by 1") == [
        ("action_1", "passed", 3, 0),
        ("action_2", "failed", 2, 1),
    ]
    assert ask(warehouse, "select status from ops.build") == [("failed",)]
    with psycopg.connect(warehouse) as connection:
        assert pending_batches(connection) == [batch]


def _at(dsn: str) -> Any:
    """Settings whose warehouse is *dsn*."""
    from threegaps.settings import Settings

    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    return Settings.load({f"THREEGAPS_WAREHOUSE_{names[key]}": str(value) for key, value in parts.items()})
