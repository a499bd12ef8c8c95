"""What the ledger keeps of incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from threegaps.errors import SettingsError
from threegaps.ledger import incidents, outbox
from threegaps.ledger.incidents import Cause, Gravity
from threegaps.settings import SHANGHAI

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
MINUTE = dt.timedelta(minutes=1)
WAGES = "hrss/wage_records"


@pytest.fixture
def connection(shared_warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shared_warehouse, autocommit=True) as opened:
        opened.execute("truncate ops.incident cascade; drop schema if exists core cascade; create schema core")
        yield opened


def cause(about: str = WAGES, gravity: Gravity = "warning", **changes: Any) -> Cause:
    values = {"kind": "feed_late", "title_zh": "迟到", "title_en": "late", "feeds": (about,)} | changes
    return Cause(about=about, gravity=gravity, **values)


def changes(connection: psycopg.Connection[Any], incident_id: int) -> list[tuple[str, str]]:
    return [(one.change, one.changed_by) for one in incidents.changes_of(connection, incident_id)]


def test_only_one_incident_of_a_cause_is_open(connection: psycopg.Connection[Any]) -> None:
    first = incidents.open_incident(connection, cause(), at=NOW)
    assert incidents.open_incident(connection, cause(), at=NOW + MINUTE) == first
    assert [one.incident_id for one in incidents.open_incidents(connection)] == [first.incident_id]
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(
            "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en) values (%s, 'feed_late',"
            " 'warning', '', '')",
            [first.cause_key],
        )
    assert incidents.close(connection, first.incident_id, by=incidents.WATCH, why="gone", at=NOW + MINUTE)
    second = incidents.open_incident(connection, cause(), at=NOW + 2 * MINUTE)
    assert second.incident_id != first.incident_id


def test_what_happens_to_one_is_kept_with_its_times(connection: psycopg.Connection[Any]) -> None:
    number = incidents.open_incident(connection, cause(), at=NOW).incident_id
    incidents.worsen(connection, number, "critical", at=NOW + MINUTE)
    incidents.acknowledge(connection, number, by="wang", at=NOW + 2 * MINUTE)
    incidents.acknowledge(connection, number, by="li", at=NOW + 3 * MINUTE)
    incidents.assign(connection, number, to="li", by="wang", at=NOW + 3 * MINUTE)
    done = incidents.resolve(connection, number, by="li", why=" the department sends tomorrow ", at=NOW + 10 * MINUTE)
    assert (done.gravity, done.acknowledged_by, done.assigned_to, done.closed_by) == ("critical", "wang", "li", "li")
    assert done.resolution == "the department sends tomorrow"
    assert (done.response_seconds, done.resolution_seconds) == (120, 600)
    assert changes(connection, number) == [
        ("opened", "watch"),
        ("worsened", "watch"),
        ("acknowledged", "wang"),
        ("assigned", "wang"),
        ("closed", "li"),
    ]


def test_one_that_is_closed_unknown_or_without_a_reason_is_refused(connection: psycopg.Connection[Any]) -> None:
    number = incidents.open_incident(connection, cause(), at=NOW).incident_id
    with pytest.raises(SettingsError, match="has to be said why"):
        incidents.resolve(connection, number, by="wang", why=" ", at=NOW)
    with pytest.raises(SettingsError, match="has to be said who"):
        incidents.acknowledge(connection, number, by="", at=NOW)
    incidents.resolve(connection, number, by="wang", why="known", at=NOW)
    for step in (
        lambda: incidents.acknowledge(connection, number, by="wang", at=NOW),
        lambda: incidents.assign(connection, number, to="li", by="wang", at=NOW),
        lambda: incidents.resolve(connection, number, by="wang", why="again", at=NOW),
    ):
        with pytest.raises(SettingsError, match="is closed: known"):
            step()
    with pytest.raises(SettingsError, match="no incident 999999"):
        incidents.find_incident(connection, 999999)


@pytest.mark.parametrize("step", ["acknowledge", "assign"])
def test_what_closes_while_somebody_acts_on_it_is_closed_for_him(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    number = incidents.open_incident(connection, cause(), at=NOW).incident_id
    find = incidents.find_incident

    def closing(connection: psycopg.Connection[Any], incident_id: int) -> incidents.Incident:
        found = find(connection, incident_id)
        monkeypatch.undo()
        incidents.close(connection, incident_id, by=incidents.WATCH, why="gone", at=NOW)
        return found

    monkeypatch.setattr(incidents, "find_incident", closing)
    with pytest.raises(SettingsError, match="is closed: gone"):
        getattr(incidents, step)(connection, number, by="wang", at=NOW, **({"to": "li"} if step == "assign" else {}))
    assert changes(connection, number) == [("opened", "watch"), ("closed", "watch")]
    found = incidents.find_incident(connection, number)
    assert (found.acknowledged_by, found.assigned_to) == (None, None)


def test_the_gravest_and_then_the_oldest_stands_first(connection: psycopg.Connection[Any]) -> None:
    for minutes, about, gravity in ((3, "a/a", "warning"), (2, "b/b", "critical"), (1, "c/c", "warning")):
        incidents.open_incident(connection, cause(about, gravity), at=NOW - minutes * MINUTE)  # type: ignore[arg-type]
    assert [one.feed for one in incidents.open_incidents(connection)] == ["b/b", "a/a", "c/c"]
    assert [one.feed for one in incidents.latest_incidents(connection, limit=2)] == ["c/c", "b/b"]


def test_it_knows_the_indicators_and_marts_that_wait_for_its_feeds(connection: psycopg.Connection[Any]) -> None:
    assert incidents.held_up_by(connection, [WAGES]) == incidents.HeldUp()
    connection.execute(
        "create table core.seed_indicator_feed (indicator_code text, feed text);"
        "create table core.seed_indicator (indicator_code text, action_code text);"
        "create table core.seed_action (action_code text, mart text);"
        f"insert into core.seed_indicator_feed values ('M17-1', '{WAGES}'), ('M17-2', '{WAGES}'), ('M01-1', 'x/y');"
        "insert into core.seed_indicator values ('M17-1', 'A4'), ('M17-2', 'A4'), ('G3-1', 'G3'), ('M01-1', 'A1');"
        "insert into core.seed_action values ('A4', 'action_4_better_pay'), ('G3', 'three_gaps'), ('A1', 'action_1');"
    )
    opened = incidents.open_incident(connection, cause(), at=NOW)
    assert (opened.indicator_codes, opened.marts) == (["M17-1", "M17-2"], ["action_4_better_pay"])
    # What the last release was made of says it better.
    connection.execute(
        "insert into ops.indicator_input (indicator_code, kind, name) values ('M17-1', 'feed', %s),"
        " ('G3-1', 'feed', %s), ('M17-1', 'node', 'int_wages')",
        [WAGES, WAGES],
    )
    incidents.see_again(connection, opened, cause(detail_zh="新"), at=NOW + MINUTE)
    again = incidents.find_incident(connection, opened.incident_id)
    assert (again.indicator_codes, again.marts) == (["G3-1", "M17-1"], ["action_4_better_pay", "three_gaps"])
    connection.execute("truncate ops.indicator_input")


def test_a_message_lies_in_the_outbox_once(connection: psycopg.Connection[Any]) -> None:
    number = incidents.open_incident(connection, cause(), at=NOW).incident_id

    def enter(message_id: str, **changes: Any) -> bool:
        values: dict[str, Any] = {
            "incident_id": number,
            "change": "opened",
            "channel": "mail",
            "gravity": "warning",
            "subject": "s",
            "body": "b",
            "content": {"a": 1},
            "send_after": NOW,
            "created_at": NOW,
        }
        return outbox.enter(connection, message_id=message_id, **values | changes)

    assert enter("one")
    assert not enter("one")
    assert not enter("another id of the same change and channel")
    assert enter("two", channel="webhook")
    # It was sent past the outbox: noted, and not once more.
    assert not enter("one", tried=outbox.Tried(sent_at=NOW + MINUTE))
    assert connection.execute(
        "select message_id, sent_at = %s, sent_as from ops.outbox where incident_id = %s order by outbox_id",
        [NOW + MINUTE, number],
    ).fetchall() == [("one", True, "one"), ("two", None, None)]
