"""The daily digest: once a day whatever restarts, over midnight, and saying what the ledger says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from threegaps.ledger.incidents import note_compared
from threegaps.settings import SHANGHAI
from threegaps.watch.alerts import Alerts, Digest
from threegaps.watch.digest import digest_day, enter_digest
from threegaps.watch.message import Message, OnePlace
from threegaps.watch.sending import send_due

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 11, 27)
ALERTS = Alerts(digest=Digest(("mail", "group")))


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), SHANGHAI)


@pytest.fixture
def ledger(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        yield connection


def incident(ledger: psycopg.Connection[Any], title: str, opened: dt.datetime, closed: dt.datetime | None) -> None:
    ledger.execute(
        "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en, opened_at, announced_at, closed_at,"
        " closed_by, resolution) values (%(title)s, 'feed_late', 'warning', %(title)s, %(title)s, %(opened)s,"
        " %(opened)s, %(closed)s, %(by)s, 'gone')",
        {"title": title, "opened": opened, "closed": closed, "by": "watch" if closed else None},
    )


def texts(ledger: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in ledger.execute("select body from ops.outbox where channel = 'mail' order by outbox_id")]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (at(6, 59), None),
        (at(7), DAY),
        (at(18, 59), DAY),
        (at(19), None),
        (at(0, 30, DAY + dt.timedelta(days=1)), None),
        (at(7, 0, DAY + dt.timedelta(days=1)), DAY + dt.timedelta(days=1)),
        (at(7).astimezone(dt.UTC), DAY),
    ],
)
def test_it_is_of_the_day_in_shanghai_and_late_at_most_by_half_a_day(now: dt.datetime, day: dt.date | None) -> None:
    assert digest_day(ALERTS, now) == day
    assert digest_day(Alerts(), now) is None


def test_one_in_the_evening_is_still_made_after_midnight() -> None:
    evening = Alerts(digest=Digest(("mail",), dt.time(23, 30)))
    assert digest_day(evening, at(0, 10, DAY + dt.timedelta(days=1))) == DAY
    assert digest_day(evening, at(23, 29)) is None


def test_it_goes_out_once_a_day_through_each_channel_whatever_restarts(ledger: psycopg.Connection[Any]) -> None:
    assert enter_digest(ledger, ALERTS, at(6, 59)) == 0
    assert enter_digest(ledger, ALERTS, at(7)) == 2
    for minute in range(1, 50, 7):
        assert enter_digest(ledger, ALERTS, at(7, minute)) == 0
    assert enter_digest(ledger, ALERTS, at(7, 0, DAY + dt.timedelta(days=1))) == 2

    class Keeper(OnePlace):
        name = "mail"
        sent: list[Message] = []  # noqa: RUF012  # one test

        def send(self, message: Message) -> None:
            self.sent.append(message)

    send_due(ledger, {"mail": Keeper()}, at(7, 1, DAY + dt.timedelta(days=1)))
    assert [message.message_id for message in Keeper.sent] == [
        "digest-2026-11-27.mail@threegaps",
        "digest-2026-11-28.mail@threegaps",
    ]
    assert {message.change for message in Keeper.sent} == {"digest"}


def test_a_channel_that_is_added_during_the_day_gets_it_too_and_the_others_no_second(
    ledger: psycopg.Connection[Any],
) -> None:
    enter_digest(ledger, ALERTS, at(7))
    assert enter_digest(ledger, Alerts(digest=Digest(("mail", "group", "new"))), at(8)) == 1


def test_two_watches_at_once_enter_it_once(ledger: psycopg.Connection[Any], warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as other:
        assert enter_digest(ledger, ALERTS, at(7)) + enter_digest(other, ALERTS, at(7)) == 2


def test_it_says_what_is_open_closed_due_served_and_waiting(ledger: psycopg.Connection[Any]) -> None:
    incident(ledger, "still open", at(3), None)
    incident(ledger, "closed at night", at(1), at(2))
    incident(ledger, "closed long ago", at(1, 0, DAY - dt.timedelta(days=5)), at(2, 0, DAY - dt.timedelta(days=5)))
    for delivery, due in (("2026-10", at(18)), ("2026-09", at(18, 0, DAY - dt.timedelta(days=1)))):
        ledger.execute(
            "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at, cadence)"
            " values ('hrss/wage_records', %s, '2026-10-01', '2026-10-31', %s, 'month')",
            [delivery, due],
        )
    ledger.execute(
        "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at, first_arrived_at,"
        " completed_at, cadence) values ('tax/payers', '2026-10', '2026-10-01', '2026-10-31', %(at)s, %(at)s, %(at)s,"
        " 'month')",
        {"at": at(10)},
    )
    enter_digest(ledger, ALERTS, at(7), is_synthetic=True)
    (text,) = texts(ledger)
    assert "still open(始于 2026-11-27 03:00 +08:00)" in text
    assert "closed at night" in text
    assert "closed long ago" not in text
    assert "Due on 2026-11-27 and not here: 1\n  hrss/wage_records 2026-10\n" in text
    assert "tax/payers" not in text
    assert "Release that serves: none yet" in text
    assert "Rows that wait for a department's correction: 0" in text
    row = ledger.execute("select subject, content from ops.outbox limit 1").fetchone()
    assert row is not None
    assert row[0].startswith("[合成数据 synthetic] [日报 daily digest] 2026-11-27:1 项未解除")
    assert row[1]["due"] == [{"feed": "hrss/wage_records", "delivery": "2026-10"}]


def test_what_the_newest_look_did_not_see_any_more_is_not_open(ledger: psycopg.Connection[Any]) -> None:
    incident(ledger, "over since a moment", at(6), None)
    incident(ledger, "seen just now", at(6), None)
    for title, ago in (("over since a moment", 30), ("seen just now", 0)):
        seen_at = at(7) - dt.timedelta(seconds=ago)
        ledger.execute("update ops.incident set last_seen_at = %s where title_en = %s", [seen_at, title])
    note_compared(ledger, at(7))
    enter_digest(ledger, ALERTS, at(7))
    (text,) = texts(ledger)
    assert "Open incidents: 1\n" in text
    assert "seen just now" in text
    assert "over since a moment" not in text


def test_closed_ones_are_those_since_the_last_digest_also_after_days_without_one(
    ledger: psycopg.Connection[Any],
) -> None:
    monday = DAY - dt.timedelta(days=4)
    enter_digest(ledger, ALERTS, at(7, 0, monday))
    incident(ledger, "closed on tuesday", at(1, 0, monday), at(9, 0, monday + dt.timedelta(days=1)))
    enter_digest(ledger, ALERTS, at(7))
    assert "closed on tuesday" in texts(ledger)[1]
    enter_digest(ledger, ALERTS, at(7, 0, DAY + dt.timedelta(days=1)))
    assert "closed on tuesday" not in texts(ledger)[2]


def test_in_the_sandbox_what_is_due_is_judged_by_its_own_day(ledger: psycopg.Connection[Any]) -> None:
    ledger.execute("insert into ops.delivery_clock (judged_at) values (%s)", [at(0, 0, dt.date(2026, 7, 2))])
    ledger.execute(
        "insert into ops.expected_delivery (feed, delivery, delivery_start, delivery_end, due_at, cadence)"
        " values ('hrss/wage_records', '2026-06', '2026-06-01', '2026-06-30', %s, 'month')",
        [at(18, 0, dt.date(2026, 7, 1))],
    )
    enter_digest(ledger, ALERTS, at(7))
    assert "Due on 2026-07-01 and not here: 1\n  hrss/wage_records 2026-06\n" in texts(ledger)[0]


def test_rows_that_wait_are_those_that_the_ledger_keeps(ledger: psycopg.Connection[Any]) -> None:
    ledger.execute(
        "insert into ops.feed_totals (feed, refused_open) values ('hrss/wage_records', 1200),"
        " ('hrss/certificates', 30), ('education/rural_teaching', 4), ('statistics/resident_income', 0)"
    )
    enter_digest(ledger, ALERTS, at(7))
    assert "Rows that wait for a department's correction: 1,234\n  hrss 1,230\n  education 4\n\n" in texts(ledger)[0]


def test_lists_have_an_end(ledger: psycopg.Connection[Any]) -> None:
    for number in range(40):
        incident(ledger, f"late {number}", at(3), None)
    enter_digest(ledger, ALERTS, at(7))
    assert "  … +10" in texts(ledger)[0]
    assert len(texts(ledger)[0].splitlines()) < 100
