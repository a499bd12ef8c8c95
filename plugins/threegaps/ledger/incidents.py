"""Incidents: one cause, one incident, from the moment that it is seen until it is gone.

What is seen is judged elsewhere (`threegaps.watch`); here stands what is kept of it. Instants are given by the caller,
so that the same incident has the same ones in the ledger and wherever else it was noted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from threegaps.errors import SettingsError
from threegaps.standards.moments import NEVER
from threegaps.standards.white_space import WHITE_SPACE, is_blank

Gravity = Literal["warning", "critical"]
GRAVITIES: tuple[Gravity, ...] = ("warning", "critical")
"""The graver last."""

WATCH = "watch"
"""Who opens incidents, and closes those whose cause has gone away by itself."""
# What somebody has resolved stays closed as long as its cause is seen again within this.
_RESOLVED_SEEN = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that somebody should look at, as it is seen now.

    Nothing in its texts comes from what departments send: no value, no secret.

    Args:
        kind: A code of ``threegaps.labels.INCIDENT_KINDS``.
        about: What it is about within its kind: a feed, a connection, a folder; empty where the kind says all.
        gravity: ``warning`` or ``critical``.
        title_zh: One line.
        title_en: The same.
        detail_zh: More lines: since when, how often, what was said, what to do.
        detail_en: The same.
        feeds: The feeds that are concerned; they say what the cause holds up. Where everything is, none.
        occasions: The batches, deliveries or codes that show it: what was resolved by hand opens again for another.
        told_after: So long it is to stand before people are told.
    """

    kind: str
    about: str
    gravity: Gravity
    title_zh: str
    title_en: str
    detail_zh: str = ""
    detail_en: str = ""
    feeds: tuple[str, ...] = ()
    occasions: tuple[str, ...] = ()
    told_after: dt.timedelta = dt.timedelta(seconds=90)

    @property
    def key(self) -> str:
        """Names the cause, not its symptoms: only one incident of a cause is open."""
        return f"{self.kind}:{self.about}" if self.about else self.kind

    @property
    def feed(self) -> str | None:
        """The feed, where it is one alone."""
        return self.feeds[0] if len(self.feeds) == 1 else None

    @property
    def department(self) -> str | None:
        """The department, where it is one alone."""
        departments = {feed.partition("/")[0] for feed in self.feeds}
        return departments.pop() if len(departments) == 1 else None


@dataclass(frozen=True, slots=True)
class Incident:
    """One row of ``ops.incident``; ``incident_id`` is 0 while only the watch's journal has it."""

    incident_id: int
    cause_key: str
    kind: str
    gravity: Gravity
    feed: str | None
    department: str | None
    feeds: list[str]
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str
    indicator_codes: list[str]
    marts: list[str]
    opened_at: dt.datetime
    last_seen_at: dt.datetime
    announced_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    closed_at: dt.datetime | None
    closed_by: str | None
    resolution: str | None
    occasions: list[str] = dataclasses.field(default_factory=list)

    @property
    def seen(self) -> str:
        """Names what is seen of the cause, by which whoever resolves it says what he has looked at."""
        return hashlib.sha256("\n".join([self.gravity, *sorted(self.occasions)]).encode()).hexdigest()[:16]

    @property
    def response_seconds(self) -> float | None:
        """From its opening until somebody acknowledged it; None before, or where nobody can tell."""
        return None if self.acknowledged_at is None else _seconds(self.opened_at, self.acknowledged_at)

    @property
    def resolution_seconds(self) -> float | None:
        """From its opening until it was closed; None before, or where nobody can tell."""
        return None if self.closed_at is None else _seconds(self.opened_at, self.closed_at)


def _seconds(start: dt.datetime, end: dt.datetime) -> float | None:
    """From *start* to *end*; none where a clock was put back in between, None where no calendar has one of them."""
    if max(start, end) >= NEVER:
        return None
    return max((end - start).total_seconds(), 0.0)


_COLUMNS = ", ".join(field.name for field in dataclasses.fields(Incident))


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """One row of ``ops.incident_change``."""

    change: str
    changed_at: dt.datetime
    changed_by: str
    note: str


@dataclass(frozen=True, slots=True)
class HeldUp:
    """What waits for some feeds: indicators by their codes, and the marts that show them."""

    indicator_codes: tuple[str, ...] = ()
    marts: tuple[str, ...] = ()


def open_incidents(connection: psycopg.Connection[Any]) -> list[Incident]:
    """Incidents whose cause is there, the gravest and then the oldest first."""
    return _incidents(connection, "closed_at is null order by gravity = 'warning', opened_at, incident_id")


def hold_open(connection: psycopg.Connection[Any]) -> None:
    """Let nobody change or close an open incident until the transaction ends.

    What is then noted of an incident is noted of an open one, and whoever resolves it meanwhile answers for that, too.
    """
    connection.execute("select from ops.incident where closed_at is null for no key update")


def count_incidents(connection: psycopg.Connection[Any]) -> int:
    """How many incidents there have been, open ones among them."""
    row = connection.execute("select count(*) from ops.incident").fetchone()
    return int(row[0]) if row else 0


def latest_incidents(connection: psycopg.Connection[Any], *, limit: int) -> list[Incident]:
    """The *limit* incidents that opened last, closed ones among them, the newest first."""
    return _incidents(connection, "true order by opened_at desc, incident_id desc limit %(limit)s", limit=limit)


def closed_since(connection: psycopg.Connection[Any], since: dt.datetime, *, limit: int) -> list[Incident]:
    """The *limit* incidents that closed last, none before *since*, the newest first."""
    return _incidents(
        connection,
        "closed_at > %(since)s order by closed_at desc, incident_id desc limit %(limit)s",
        since=since,
        limit=limit,
    )


def resolved_by_hand(connection: psycopg.Connection[Any], now: dt.datetime) -> list[Incident]:
    """Incidents that somebody has resolved, and whose cause has been there ever since; one for each cause, the last.

    Args:
        now: While nothing was compared before it, nobody can say that a cause was gone.
    """
    since = min(compared_at(connection) or now, now) - _RESOLVED_SEEN
    return _incidents(
        connection,
        "incident_id in (select max(incident_id) from ops.incident group by cause_key)"
        " and closed_at is not null and closed_by <> 'watch' and last_seen_at > %(since)s",
        since=since,
    )


def compared_at(connection: psycopg.Connection[Any]) -> dt.datetime | None:
    """When a watch of this warehouse compared last what it saw with the incidents; None where nobody can tell."""
    row = connection.execute("select compared_at from ops.watch_pass where isfinite(compared_at)").fetchone()
    return None if row is None else row[0]


def note_compared(connection: psycopg.Connection[Any], at: dt.datetime) -> None:
    """Note that a watch has compared."""
    connection.execute(
        "insert into ops.watch_pass (compared_at) values (%s)"
        " on conflict (is_only) do update set compared_at = excluded.compared_at",
        [at],
    )


def last_closed_at(connection: psycopg.Connection[Any], kinds: Collection[str]) -> dt.datetime | None:
    """When an incident of one of the *kinds* was closed last; None where none ever was."""
    row = connection.execute("select max(closed_at) from ops.incident where kind = any(%s)", [sorted(kinds)]).fetchone()
    return None if row is None else row[0]


def find_incident(connection: psycopg.Connection[Any], incident_id: int) -> Incident:
    """One incident by its number.

    Raises:
        SettingsError: There is none of this number.
    """
    found = _incidents(connection, "incident_id = %(number)s", number=incident_id)
    if not found:
        raise SettingsError(f"There is no incident {incident_id}.", advice="see `threegaps incidents --all`.")
    return found[0]


def _incidents(connection: psycopg.Connection[Any], condition: str, **parameters: Any) -> list[Incident]:
    with connection.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from ops.incident where {condition}".encode(), parameters).fetchall()


def changes_of(connection: psycopg.Connection[Any], incident_id: int) -> list[IncidentChange]:
    """What has happened to an incident, in order."""
    with connection.cursor(row_factory=class_row(IncidentChange)) as cursor:
        return cursor.execute(
            "select change, changed_at, changed_by, note from ops.incident_change where incident_id = %s"
            " order by incident_change_id",
            [incident_id],
        ).fetchall()


def newest_changes(
    connection: psycopg.Connection[Any], incident_ids: Sequence[int], *, most: int
) -> dict[int, list[IncidentChange]]:
    """What has happened last to some incidents, in order: at most *most* changes of each."""
    found: dict[int, list[IncidentChange]] = {incident_id: [] for incident_id in incident_ids}
    rows = connection.execute(
        "select c.incident_id, c.change, c.changed_at, c.changed_by, c.note from unnest(%s::bigint[]) as i (number)"
        " cross join lateral (select * from ops.incident_change where incident_id = i.number"
        " order by incident_change_id desc limit %s) as c order by c.incident_change_id",
        [list(incident_ids), most],
    ).fetchall()
    for incident_id, *change in rows:
        found[incident_id].append(IncidentChange(*change))
    return found


def held_up_by(connection: psycopg.Connection[Any], feeds: Iterable[str]) -> HeldUp:
    """The indicators that are made of *feeds*, and their marts; nothing before the first build."""
    wanted = sorted(set(feeds))
    if not wanted or not _has_relation(connection, "core.seed_indicator_feed"):
        return HeldUp()
    # What the last release was made of says it truly; before the first one the contracts' own graph does.
    codes = (
        connection.execute(
            "select distinct indicator_code from ops.indicator_input where kind = 'feed' and name = any(%s) order by 1",
            [wanted],
        ).fetchall()
        or connection.execute(
            "select distinct indicator_code from core.seed_indicator_feed where feed = any(%s) order by 1", [wanted]
        ).fetchall()
    )
    indicators = tuple(str(row[0]) for row in codes)
    marts = connection.execute(
        "select distinct a.mart from core.seed_indicator as i join core.seed_action as a using (action_code)"
        " where i.indicator_code = any(%s) order by 1",
        [list(indicators)],
    ).fetchall()
    return HeldUp(indicators, tuple(str(row[0]) for row in marts))


def _has_relation(connection: psycopg.Connection[Any], name: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    return bool(row and row[0])


def open_incident(
    connection: psycopg.Connection[Any],
    cause: Cause,
    *,
    at: dt.datetime,
    last_seen_at: dt.datetime | None = None,
    announced_at: dt.datetime | None = None,
) -> Incident:
    """Open an incident; an open one of the same cause, or one that opened at the same instant, is returned as it is.

    To be called in a transaction.

    Args:
        connection: The warehouse.
        cause: What is seen.
        at: When it was first seen.
        last_seen_at: When it was seen last, by default then.
        announced_at: When people were told, if they have been.
    """
    held = held_up_by(connection, cause.feeds)
    row = connection.execute(
        "insert into ops.incident (cause_key, kind, gravity, feed, department, feeds, title_zh, title_en, detail_zh,"
        " detail_en, occasions, indicator_codes, marts, opened_at, last_seen_at, announced_at)"
        " select %(key)s, %(kind)s, %(gravity)s, %(feed)s, %(department)s, %(feeds)s, %(title_zh)s, %(title_en)s,"
        " %(detail_zh)s, %(detail_en)s, %(occasions)s, %(codes)s, %(marts)s, %(at)s, %(seen)s, %(announced)s"
        " where not exists (select from ops.incident where cause_key = %(key)s and opened_at = %(at)s)"
        " on conflict (cause_key) where closed_at is null do nothing returning incident_id",
        {
            "key": cause.key,
            "kind": cause.kind,
            "gravity": cause.gravity,
            "feed": cause.feed,
            "department": cause.department,
            "feeds": list(cause.feeds),
            "title_zh": cause.title_zh,
            "title_en": cause.title_en,
            "detail_zh": cause.detail_zh,
            "detail_en": cause.detail_en,
            "occasions": list(cause.occasions),
            "codes": list(held.indicator_codes),
            "marts": list(held.marts),
            "at": at,
            "seen": last_seen_at or at,
            "announced": announced_at,
        },
    ).fetchone()
    if row is None:
        return _incidents(
            connection,
            "cause_key = %(key)s and (closed_at is null or opened_at = %(at)s)"
            " order by opened_at = %(at)s desc limit 1",
            key=cause.key,
            at=at,
        )[0]
    record_change(connection, int(row[0]), "opened", at=at, by=WATCH, note=cause.title_en)
    return find_incident(connection, int(row[0]))


def as_seen(incident: Incident, cause: Cause) -> Incident:
    """*incident* with what is known of its cause now; one that is over goes on saying what it said."""
    if incident.closed_at is not None:
        return incident
    return dataclasses.replace(
        incident,
        feed=cause.feed,
        department=cause.department,
        feeds=list(cause.feeds),
        title_zh=cause.title_zh,
        title_en=cause.title_en,
        detail_zh=cause.detail_zh,
        detail_en=cause.detail_en,
        occasions=list(cause.occasions),
    )


def see_again(connection: psycopg.Connection[Any], incident: Incident, cause: Cause, *, at: dt.datetime) -> None:
    """Note that the cause is there still, with what is known of it now; gravity never falls while it is open."""
    seen = as_seen(incident, cause)
    if seen == incident:
        connection.execute(
            "update ops.incident set last_seen_at = %s where incident_id = %s", [at, incident.incident_id]
        )
        return
    held = held_up_by(connection, cause.feeds)
    connection.execute(
        "update ops.incident set last_seen_at = %s, title_zh = %s, title_en = %s, detail_zh = %s, detail_en = %s,"
        " occasions = %s, feed = %s, department = %s, feeds = %s, indicator_codes = %s, marts = %s"
        " where incident_id = %s",
        [
            at,
            seen.title_zh,
            seen.title_en,
            seen.detail_zh,
            seen.detail_en,
            seen.occasions,
            seen.feed,
            seen.department,
            seen.feeds,
            list(held.indicator_codes),
            list(held.marts),
            incident.incident_id,
        ],
    )


def worsen(connection: psycopg.Connection[Any], incident_id: int, gravity: Gravity, *, at: dt.datetime) -> None:
    """Note that an open incident has become graver."""
    connection.execute("update ops.incident set gravity = %s where incident_id = %s", [gravity, incident_id])
    record_change(connection, incident_id, "worsened", at=at, by=WATCH)


def announce(connection: psycopg.Connection[Any], incident_id: int, *, at: dt.datetime) -> None:
    """Note that people are being told."""
    connection.execute(
        "update ops.incident set announced_at = coalesce(announced_at, %s) where incident_id = %s", [at, incident_id]
    )


def acknowledge(connection: psycopg.Connection[Any], incident_id: int, *, by: str, at: dt.datetime) -> Incident:
    """Note that somebody has taken notice; a second time changes nothing of the first.

    Raises:
        SettingsError: The incident is unknown, closed, or *by* is empty.
    """
    incident = _open_one(connection, incident_id)
    if incident.acknowledged_at is None:
        # Somebody else may have done so since it was looked at.
        noted = connection.execute(
            "update ops.incident set acknowledged_at = %s, acknowledged_by = %s"
            " where incident_id = %s and acknowledged_at is null and closed_at is null",
            [at, _who(by), incident_id],
        ).rowcount
        if noted:
            record_change(connection, incident_id, "acknowledged", at=at, by=by)
    return _open_one(connection, incident_id)


def assign(connection: psycopg.Connection[Any], incident_id: int, *, to: str, by: str, at: dt.datetime) -> Incident:
    """Give an incident to somebody.

    Raises:
        SettingsError: The incident is unknown, closed, or a name is empty.
    """
    _open_one(connection, incident_id)
    to = _said(to, "It has to be said to whom.")
    # It may have closed since it was looked at.
    given = connection.execute(
        "update ops.incident set assigned_to = %s where incident_id = %s and closed_at is null", [to, incident_id]
    ).rowcount
    if given:
        record_change(connection, incident_id, "assigned", at=at, by=_who(by), note=to)
    return _open_one(connection, incident_id)


def resolve(
    connection: psycopg.Connection[Any],
    incident_id: int,
    *,
    by: str,
    why: str,
    at: dt.datetime,
    seen: str | None = None,
) -> Incident:
    """Close an incident for a reason; to be called in a transaction.

    Args:
        connection: The warehouse.
        incident_id: Its number.
        by: Who closes it.
        why: The reason.
        at: When.
        seen: `Incident.seen` of what the reason is given for; None where it is given for whatever is seen.

    Raises:
        SettingsError: The incident is unknown or closed, name or reason is empty, or more has been seen since.
    """
    # What the watch sees meanwhile comes after this, or is read here.
    connection.execute("select from ops.incident where incident_id = %s for update", [incident_id])
    incident = _open_one(connection, incident_id)
    if seen is not None and seen != incident.seen:
        raise SettingsError(
            f"Incident {incident_id} shows something else now than the page did.",
            advice="look at it again, and resolve it if the reason still holds.",
        )
    if not close(connection, incident_id, by=_who(by), why=_said(why, "It has to be said why."), at=at):
        # Somebody else has done so since it was looked at: whose reason stands there is said.
        _open_one(connection, incident_id)
    return find_incident(connection, incident_id)


def close(connection: psycopg.Connection[Any], incident_id: int, *, by: str, why: str, at: dt.datetime) -> bool:
    """Close an incident; False where it is closed already."""
    closed = connection.execute(
        "update ops.incident set closed_at = %s, closed_by = %s, resolution = %s"
        " where incident_id = %s and closed_at is null",
        [at, by, why, incident_id],
    ).rowcount
    if closed:
        record_change(connection, incident_id, "closed", at=at, by=by, note=why)
    return bool(closed)


def record_change(
    connection: psycopg.Connection[Any], incident_id: int, change: str, *, at: dt.datetime, by: str, note: str = ""
) -> None:
    """Enter what has happened to an incident."""
    connection.execute(
        "insert into ops.incident_change (incident_id, change, changed_at, changed_by, note)"
        " values (%s, %s, %s, %s, %s)",
        [incident_id, change, at, by, note],
    )


def _open_one(connection: psycopg.Connection[Any], incident_id: int) -> Incident:
    incident = find_incident(connection, incident_id)
    if incident.closed_at is not None:
        raise SettingsError(
            f"Incident {incident_id} is closed: {incident.resolution}.", advice="see `threegaps incidents`."
        )
    return incident


def _who(by: str) -> str:
    if by.strip(WHITE_SPACE).casefold() == WATCH:
        raise SettingsError("The watch itself goes by that name.", advice="give the name of a person with --by.")
    return _said(by, "It has to be said who.")


def _said(text: str, otherwise: str) -> str:
    if is_blank(text):
        raise SettingsError(otherwise, advice="give a name or a reason that is not empty.")
    return text.strip(WHITE_SPACE)


def graver(one: Gravity, other: Gravity) -> bool:
    """Whether *one* is graver than *other*."""
    return GRAVITIES.index(one) > GRAVITIES.index(other)


def gravest(gravities: Sequence[Gravity]) -> Gravity | None:
    """The gravest of some; None of none."""
    return max(gravities, key=GRAVITIES.index, default=None)
