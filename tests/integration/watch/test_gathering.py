"""What pages and metrics show of the ledger."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from threegaps.ledger import incidents
from threegaps.ledger.expected import Standing
from threegaps.ledger.incidents import Cause, Incident
from threegaps.settings import SHANGHAI
from threegaps.watch import reading_ledger
from threegaps.watch.alerts import Alerts, ChannelSettings
from threegaps.watch.gathering import gather, incidents_seen, states

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
FEED = "hrss/wage_records"


@pytest.fixture
def ledger(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        yield connection


def opened(ledger: psycopg.Connection[Any], kind: str) -> Incident:
    with ledger.transaction():
        return incidents.open_incident(
            ledger, Cause(kind, FEED, "warning", "标题", "title", feeds=(FEED,)), at=NOW - dt.timedelta(hours=1)
        )


def standing(**changed: Any) -> Standing:
    fields: dict[str, Any] = {
        **dict.fromkeys(Standing.__dataclass_fields__),
        "feed": FEED,
        "title_zh": "",
        "title_en": "",
        "state": "in_time",
        "delivery": "2026-10",
        "late": (),
        "incomplete": (),
        "missing_counties": (),
        "days_late": 0,
        "deliveries_late": 0,
        "empty": False,
        "paused": False,
        "closed": False,
    }
    return Standing(**{**fields, **changed})


def seen(kind: str) -> Cause:
    return Cause(kind, FEED, "warning", "标题", "title", feeds=(FEED,))


@pytest.mark.parametrize(
    ("of", "kinds", "expected"),
    [
        (standing(), [], ("in_time",)),
        (standing(state="closed"), [], ("closed",)),
        (standing(state="late"), [], ("late",)),
        (standing(state="late"), ["feed_incomplete", "feed_late"], ("late", "incomplete")),
        (standing(state="late"), ["feed_unreachable"], ("unreachable", "late")),
        (standing(state="paused"), ["feed_failing"], ("failing",)),
        # one spoilt file is one cause: its batch, the load that fails for it, the rows that it lacks
        (standing(state="late"), ["feed_stopped", "feed_failing", "feed_shrinking"], ("stopped", "late")),
        (standing(state="late"), ["feed_batch_failed", "feed_failing", "feed_shrinking"], ("failed", "late")),
        (standing(), ["feed_unreachable", "feed_failing"], ("unreachable",)),
        (standing(), ["feed_failing", "feed_shrinking"], ("failing", "shrinking")),
        (standing(), ["refused_share_rising", "feed_shrinking"], ("shrinking", "refused_share_rising")),
        (standing(), ["airflow_down"], ("in_time",)),
    ],
)
def test_a_feed_stands_in_all_its_ways_the_gravest_first(
    of: Standing, kinds: list[str], expected: tuple[str, ...]
) -> None:
    assert states(of, [seen(kind) for kind in kinds]) == expected


def test_open_incidents_are_shown_with_the_command_to_look(ledger: psycopg.Connection[Any]) -> None:
    found = [opened(ledger, kind) for kind in ("feed_shrinking", "feed_stopped")]
    (first, *_) = incidents_seen(found)
    assert (first.kind, first.feed, first.department) == ("feed_shrinking", FEED, "hrss")
    assert first.command.startswith("threegaps ")


def test_an_empty_ledger_says_nothing_and_no_zero_for_what_it_does_not_know(ledger: psycopg.Connection[Any]) -> None:
    found = gather(ledger, reading_ledger.read(ledger), Alerts(), [], NOW)
    assert (found.feeds, found.release, found.channels) == ((), None, ())
    assert (found.queue.pending_batches, found.queue.oldest_since, found.outbox.waiting) == (0, None, 0)


def know(ledger: psycopg.Connection[Any]) -> None:
    ledger.execute(
        "insert into ops.feed (feed, delivery_kind, first_day, title_zh, title_en, cadence, due_day)"
        " values (%s, 'full_period', '2026-01-01', '缴费工资', 'Wages', 'month', 'the 20th')",
        [FEED],
    )


def test_feeds_deliveries_queue_and_channels_are_gathered(ledger: psycopg.Connection[Any]) -> None:
    know(ledger)
    for delivery, days in (("2026-10", 7), ("2026-11", 3)):
        ledger.execute(
            "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at, cadence)"
            " values (%s, %s, %s, '2026-12-31', %s, 'month')",
            [FEED, delivery, f"{delivery}-01", NOW - dt.timedelta(days=days)],
        )
    ledger.execute(
        "insert into ops.attempt (feed, step, delivery, outcome, started_at, ended_at)"
        " values (%s, 'land', '2026-10', 'nothing_new', now() - interval '2 days', now())",
        [FEED],
    )
    found = gather(
        ledger, reading_ledger.read(ledger), Alerts((ChannelSettings("mail", "mail"),)), [seen("feed_late")], NOW
    )
    (feed,) = found.feeds
    assert (feed.feed, feed.title_zh, feed.department) == (FEED, "缴费工资", "hrss")
    assert (feed.state, feed.due_delivery, feed.late_delivery, feed.deliveries_late) == (
        "late",
        "2026-11",
        "2026-10",
        2,
    )
    # The oldest that is late, with its own day; the newest that is due beside it.
    assert (feed.late_since, feed.due_on) == (dt.date(2026, 11, 20), dt.date(2026, 11, 24))
    assert feed.days_late == (dt.datetime.now(SHANGHAI).date() - dt.date(2026, 11, 20)).days
    assert (feed.newest_delivery, feed.refused_share) == (None, None)
    assert [channel.name for channel in found.channels] == ["mail"]


def test_open_refusals_are_those_that_the_ledger_keeps_and_nothing_counts_the_rows(
    ledger: psycopg.Connection[Any],
) -> None:
    know(ledger)
    asked: list[str] = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def execute(self, query: Any, *rest: Any) -> Any:
            asked.append(query if isinstance(query, str) else query.decode())
            return ledger.execute(query, *rest)

    def open_refusals() -> int:
        (feed,) = gather(Listening(), reading_ledger.read(ledger), Alerts(), [], NOW).feeds  # type: ignore[arg-type]
        return feed.open_refusals

    assert open_refusals() == 0
    for rows in (41, 7):
        ledger.execute(
            "insert into ops.feed_totals (feed, refused_open) values (%s, %s)"
            " on conflict (feed) do update set refused_open = excluded.refused_open",
            [FEED, rows],
        )
        assert open_refusals() == rows, "at once, and not some minutes later"
    assert not [query for query in asked if "quarantine" in query]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [("feed_shrinking", "shrinking", "in_time"), ("feed_stopped", "stopped", "stopped")],
)
def test_what_somebody_has_said_is_meant_stands_no_more_and_a_fact_does(
    ledger: psycopg.Connection[Any], kind: str, before: str, after: str
) -> None:
    know(ledger)
    incident = opened(ledger, kind)

    def state(cause: Cause) -> str:
        reading = dataclasses.replace(reading_ledger.read(ledger), standing=(standing(),))
        (feed,) = gather(ledger, reading, Alerts(), [cause], NOW).feeds
        return feed.state

    assert state(seen(kind)) == before
    with ledger.transaction():
        incidents.resolve(ledger, incident.incident_id, by="li", why="meant", at=NOW)
    ledger.execute("update ops.incident set last_seen_at = %s", [NOW])
    assert state(seen(kind)) == after
    # More of it is not what the reason was given for.
    assert state(dataclasses.replace(seen(kind), occasions=("another",))) == before
