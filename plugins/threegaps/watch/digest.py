"""The daily digest: once a day, whatever restarts, what is open, what has closed, what falls due, what waits.

That it has gone out for a day stands in the outbox, under an id that the day and the channel make: nothing else is
kept, and two watches enter it once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.labels import INCIDENT_GRAVITIES, both
from threegaps.ledger import outbox
from threegaps.ledger.expected import judged_at, judged_day
from threegaps.ledger.incidents import Incident, compared_at, open_incidents
from threegaps.settings import SHANGHAI
from threegaps.standards.moments import clock
from threegaps.watch.alerts import Alerts
from threegaps.watch.message import SYNTHETIC_MARK, digest_message_id
from threegaps.watch.reconciling import is_fading

LATEST_AFTER = dt.timedelta(hours=12)
"""So long after its time a digest that could not be made then still is: of yesterday's state nobody reads at night."""
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class Closed:
    """An incident that has closed since the last digest."""

    incident_id: int
    title_zh: str
    title_en: str
    closed_at: dt.datetime
    resolution: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a digest says.

    Args:
        due: Feed and delivery of what falls due on the day that deliveries are judged by and has not come.
        due_day: That day: the sandbox has its own.
        release: Number and instant of the release that serves; None before the first.
        refused_rows: Refused rows that wait for a correction, by department.
    """

    opened: Sequence[Incident]
    closed: Sequence[Closed]
    due: Sequence[tuple[str, str]]
    due_day: dt.date
    release: tuple[int, dt.datetime] | None
    refused_rows: Mapping[str, int]


def digest_day(alerts: Alerts, now: dt.datetime) -> dt.date | None:
    """The day whose digest should have gone out by *now*, or should go; None where none should."""
    if alerts.digest is None:
        return None
    local = now.astimezone(SHANGHAI)
    for day in (local.date(), local.date() - dt.timedelta(days=1)):
        due = dt.datetime.combine(day, alerts.digest.at, SHANGHAI)
        if due <= now < due + LATEST_AFTER:
            return day
    return None


def enter_digest(
    connection: psycopg.Connection[Any], alerts: Alerts, now: dt.datetime, *, is_synthetic: bool = False
) -> int:
    """Enter the digest of the day into the outbox, where it is time and it has not been; how many messages.

    Args:
        connection: The warehouse, in autocommit or in a transaction.
        is_synthetic: The departments are the sandbox's.
    """
    day = digest_day(alerts, now)
    if day is None or alerts.digest is None:
        return 0
    numbers = {channel: [digest_message_id(day, channel, one) for one in (1, 2)] for channel in alerts.digest.channels}
    known = dict(
        connection.execute(
            "select message_id, change from ops.outbox where message_id = any(%s)",
            [[number for both in numbers.values() for number in both]],
        ).fetchall()
    )
    # One that went out before its day, by a clock that was ahead, is not the day's; a third one there never is.
    missing = {
        channel: next(number for number in (first, second) if number not in known)
        for channel, (first, second) in numbers.items()
        if known.get(first) != "digest" and second not in known
    }
    if not missing:
        return 0
    with connection.transaction():
        facts = read_facts(connection, now)
        subject, text = written(facts, day, now, is_synthetic=is_synthetic)
        return sum(
            outbox.enter(
                connection,
                message_id=message_id,
                incident_id=None,
                change="digest",
                channel=channel,
                gravity="notice",
                subject=subject,
                body=text,
                content=as_data(facts, day),
                send_after=now,
                created_at=now,
            )
            for channel, message_id in missing.items()
        )


def read_facts(connection: psycopg.Connection[Any], now: dt.datetime) -> Facts:
    """What the digest of *now* says, from the ledger."""
    before = connection.execute(
        "select max(created_at) from ops.outbox where change = 'digest' and created_at < %s", [now - LATEST_AFTER]
    ).fetchone()
    since = (before and before[0]) or now - dt.timedelta(days=1)
    closed = connection.execute(
        "select incident_id, title_zh, title_en, closed_at, coalesce(resolution, '') from ops.incident"
        " where closed_at > %s and announced_at is not null order by closed_at",
        [since],
    ).fetchall()
    day = judged_day(judged_at(connection, now))
    begin = dt.datetime.combine(day, dt.time.min, SHANGHAI)
    due = connection.execute(
        "select feed, delivery from ops.expected_delivery where county_code = '' and not is_paused"
        " and is_current and completed_at is null and due_at > %s and due_at <= %s order by due_at, feed",
        [begin, begin + dt.timedelta(days=1)],
    ).fetchall()
    release = connection.execute(
        "select release_id, released_at from ops.current_release join ops.release using (release_id)"
    ).fetchone()
    refused = connection.execute(
        "select split_part(feed, '/', 1), sum(refused_open) from ops.feed_totals where refused_open > 0"
        " group by 1 order by 2 desc, 1"
    ).fetchall()
    compared = compared_at(connection)
    return Facts(
        opened=[one for one in open_incidents(connection) if not is_fading(one, compared, now)],
        closed=[Closed(*row) for row in closed],
        due=[(str(feed), str(delivery)) for feed, delivery in due],
        due_day=day,
        release=None if release is None else (int(release[0]), release[1]),
        refused_rows={str(department): int(count) for department, count in refused},
    )


def written(facts: Facts, day: dt.date, now: dt.datetime, *, is_synthetic: bool) -> tuple[str, str]:
    """Subject and text of the digest of *day*, Chinese first, English after."""
    mark = SYNTHETIC_MARK if is_synthetic else ""
    critical = sum(incident.gravity == "critical" for incident in facts.opened)
    subject = (
        f"{mark}[日报 daily digest] {day.isoformat()}:{len(facts.opened)} 项未解除(严重 {critical}),"
        f"{len(facts.due)} 批今日应报 · {len(facts.opened)} open ({critical} critical), {len(facts.due)} due"
    )
    return subject, "\n".join([*_zh(facts, now), "", *_en(facts, now), "", "threegaps status"])


def _zh(facts: Facts, now: dt.datetime) -> Iterator[str]:
    yield f"未解除的事件:{len(facts.opened) or '无'}"
    yield from _cut(
        f"  #{one.incident_id} {_gravity(one)} {one.title_zh}(始于 {clock(one.opened_at)})" for one in facts.opened
    )
    yield f"上次日报以来已解除:{len(facts.closed) or '无'}"
    yield from _cut(f"  #{one.incident_id} {one.title_zh}({clock(one.closed_at)})" for one in facts.closed)
    yield f"{facts.due_day.isoformat()} 应报而未到:{len(facts.due) or '无'}"
    yield from _cut(f"  {feed} {delivery}" for feed, delivery in facts.due)
    if facts.release is None:
        yield "正在使用的发布:还没有"
    else:
        number, at = facts.release
        yield f"正在使用的发布:第 {number} 次,{clock(at)}({_days(now - at)} 天前)"
    yield f"待部门修正的拒收行:{sum(facts.refused_rows.values()):,}"
    yield from _cut(f"  {department} {count:,}" for department, count in facts.refused_rows.items())


def _en(facts: Facts, now: dt.datetime) -> Iterator[str]:
    yield f"Open incidents: {len(facts.opened) or 'none'}"
    yield from _cut(f"  #{one.incident_id} {one.title_en} (since {clock(one.opened_at)})" for one in facts.opened)
    yield f"Closed since the last digest: {len(facts.closed) or 'none'}"
    yield from _cut(f"  #{one.incident_id} {one.title_en} ({clock(one.closed_at)})" for one in facts.closed)
    yield f"Due on {facts.due_day.isoformat()} and not here: {len(facts.due) or 'none'}"
    yield from _cut(f"  {feed} {delivery}" for feed, delivery in facts.due)
    if facts.release is None:
        yield "Release that serves: none yet"
    else:
        age = _days(now - facts.release[1])
        yield f"Release that serves: {facts.release[0]}, of {clock(facts.release[1])} ({age} days ago)"
    yield f"Rows that wait for a department's correction: {sum(facts.refused_rows.values()):,}"
    yield from _cut(f"  {department} {count:,}" for department, count in facts.refused_rows.items())


def as_data(facts: Facts, day: dt.date) -> dict[str, Any]:
    """The digest as JSON can say it."""
    return {
        "day": day.isoformat(),
        "open": [
            {
                "incident_id": one.incident_id,
                "kind": one.kind,
                "gravity": one.gravity,
                "title_zh": one.title_zh,
                "title_en": one.title_en,
                "opened_at": one.opened_at.isoformat(),
            }
            for one in facts.opened
        ],
        "closed": [
            {"incident_id": one.incident_id, "title_zh": one.title_zh, "title_en": one.title_en} for one in facts.closed
        ],
        "due_day": facts.due_day.isoformat(),
        "due": [{"feed": feed, "delivery": delivery} for feed, delivery in facts.due],
        "release_id": None if facts.release is None else facts.release[0],
        "released_at": None if facts.release is None else facts.release[1].isoformat(),
        "refused_rows": dict(facts.refused_rows),
    }


def _gravity(incident: Incident) -> str:
    return both(INCIDENT_GRAVITIES, incident.gravity)


def _cut(lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:_MOST_LINES]
    if len(every) > _MOST_LINES:
        yield f"  … +{len(every) - _MOST_LINES}"


def _days(age: dt.timedelta) -> int:
    return max(0, age.days)
