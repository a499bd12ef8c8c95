"""The local journal: what is open and what was told, in a file, for as long as the warehouse cannot be asked.

While it can, the file mirrors the open incidents. While it cannot, incidents open and close here, and messages go to
their channels past the outbox; once it can, all is entered into the ledger. A message has the same id in both, so that
nothing is told twice.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import psycopg

from threegaps.home.files import read_regular
from threegaps.ledger import incidents as ledger
from threegaps.ledger.incidents import Cause, Incident
from threegaps.ledger.outbox import NOT_TRIED, Tried
from threegaps.watch.entering import enter_message, enter_note
from threegaps.watch.files import as_json, write_whole
from threegaps.watch.message import Message
from threegaps.watch.reconciling import Decisions, has_gone
from threegaps.watch.told import Note, Told

GONE = "原因已消失 the cause is gone"
"""Why an incident is closed whose cause is not seen any more."""
RESTORED = "数据仓库已从备份恢复 the warehouse was restored from a backup"
"""Why an incident is closed that stands open in a backup only."""
_OPENING = frozenset({"opened", "worsened"})
_INSTANTS = ("opened_at", "last_seen_at", "announced_at", "acknowledged_at", "closed_at")
_LARGEST_FILE_BYTES = 33_554_432


@dataclass(slots=True)
class Posted:
    """A message of the journal to one channel, and how far it has come."""

    message: Message
    channel: str
    cause_key: str
    opened_at: dt.datetime
    send_after: dt.datetime
    created_at: dt.datetime
    tried: Tried = NOT_TRIED

    def is_of(self, incident: Incident) -> bool:
        """Whether it tells of *incident*."""
        return (self.cause_key, self.opened_at) == (incident.cause_key, incident.opened_at)

    def is_due(self, now: dt.datetime) -> bool:
        """Whether it is to be tried now, also where only some recipients are still to get it."""
        if (self.tried.sent_at is not None and not self.tried.rest) or now < self.send_after:
            return False
        if self.tried.given_up_at is not None:
            return False
        return self.tried.retry_at is None or now >= self.tried.retry_at


@dataclass(slots=True)
class Journal:
    """Open incidents, and what has happened to them since the warehouse could be asked last.

    Args:
        incidents: The open ones; those that closed in the meantime, too.
        posted: Messages that went past the outbox, or wait.
        resolved: Incidents that somebody has resolved, and whose cause has been there ever since.
        is_ahead: It says something that the ledger does not.
        problem: Why the file could not be taken, where this one is empty for that; else empty.
    """

    incidents: list[Incident] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    resolved: list[Incident] = field(default_factory=list)
    is_ahead: bool = False
    problem: str = field(default="", compare=False)

    @property
    def open(self) -> list[Incident]:
        """The incidents that are open."""
        return [incident for incident in self.incidents if incident.closed_at is None]

    def waits_for_earlier(self, posted: Posted) -> bool:
        """Whether something earlier of the same incident has not been sent through the same channel."""
        return any(one.tried.sent_at is None and one.tried.given_up_at is None for one in self._earlier(posted))

    def follows_what_was_given_up(self, posted: Posted, told: Told) -> bool:
        """Whether it is the end of what was never told in its channel; the outbox cancels such a message."""
        if posted.message.change in _OPENING or any(
            note.channel == posted.channel for note in told.of_incident(posted.cause_key, posted.opened_at)
        ):
            return False
        openings = [one for one in self._earlier(posted) if one.message.change in _OPENING]
        return bool(openings) and all(one.tried.given_up_at is not None for one in openings)

    def held(self, posted: Posted) -> set[str]:
        """The recipients who are still to get something earlier of the same incident."""
        return {recipient for one in self._earlier(posted) for recipient in one.tried.rest}

    def _earlier(self, posted: Posted) -> list[Posted]:
        earlier = self.posted[: self.posted.index(posted)]
        same = (posted.cause_key, posted.opened_at, posted.channel)
        return [one for one in earlier if (one.cause_key, one.opened_at, one.channel) == same]

    def put(self, incident: Incident) -> None:
        """Note an incident as it stands now."""
        self.incidents = [
            one for one in self.incidents if (one.cause_key, one.opened_at) != (incident.cause_key, incident.opened_at)
        ]
        self.incidents.append(incident)
        self.is_ahead = True


def new_incident(cause: Cause, now: dt.datetime) -> Incident:
    """An incident of *cause* that opens now and stands in the journal only."""
    return Incident(
        incident_id=0,
        cause_key=cause.key,
        kind=cause.kind,
        gravity=cause.gravity,
        feed=cause.feed,
        department=cause.department,
        feeds=list(cause.feeds),
        title_zh=cause.title_zh,
        title_en=cause.title_en,
        detail_zh=cause.detail_zh,
        detail_en=cause.detail_en,
        indicator_codes=[],
        marts=[],
        opened_at=now,
        last_seen_at=now,
        announced_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        assigned_to=None,
        closed_at=None,
        closed_by=None,
        resolution=None,
        occasions=list(cause.occasions),
    )


def cause_of(incident: Incident) -> Cause:
    """The cause as the incident tells of it."""
    return Cause(
        kind=incident.kind,
        about=incident.cause_key.partition(":")[2],
        gravity=incident.gravity,
        title_zh=incident.title_zh,
        title_en=incident.title_en,
        detail_zh=incident.detail_zh,
        detail_en=incident.detail_en,
        feeds=tuple(incident.feeds),
        occasions=tuple(incident.occasions),
    )


def close_ended(connection: psycopg.Connection[Any], book: Journal, standing: Sequence[Incident], told: Told) -> int:
    """Close what stands open in the ledger although people were told of its end; how many.

    The warehouse was restored from a backup of before: what is seen of such a cause now is another incident.

    Args:
        connection: The warehouse, in a transaction.
        book: What closed in the journal is entered from there, as it was.
        standing: The incidents that stand open in the ledger.
        told: What has been sent.
    """
    ended = told.endings()
    in_journal = {(one.cause_key, one.opened_at) for one in book.incidents if one.closed_at is not None}
    count = 0
    for one in standing:
        this = (one.cause_key, one.opened_at)
        note = ended.get(this)
        if note is None or this in in_journal:
            continue
        for sent in told.of_incident(*this):
            enter_note(connection, sent, one.incident_id)
        by = note.said("closed_by") or ledger.WATCH
        # What a person has resolved stays resolved, for his reason.
        why = RESTORED if by == ledger.WATCH else note.said("resolution") or RESTORED
        count += ledger.close(connection, one.incident_id, by=by, why=why, at=max(note.sent_at, one.opened_at))
    return count


def keep(book: Journal, decisions: Decisions, now: dt.datetime, *, opened_at: dt.datetime) -> None:
    """Note in the journal what was decided."""
    for cause in decisions.opened:
        book.put(dataclasses.replace(new_incident(cause, opened_at), last_seen_at=now))
    told = {incident.cause_key for incident, _ in decisions.told}
    for incident, cause in decisions.seen:
        gravity = cause.gravity if ledger.graver(cause.gravity, incident.gravity) else incident.gravity
        book.put(
            dataclasses.replace(
                ledger.as_seen(incident, cause),
                last_seen_at=now,
                gravity=gravity,
                announced_at=now if incident.cause_key in told else incident.announced_at,
            )
        )
    for incident in decisions.closed:
        book.put(dataclasses.replace(incident, closed_at=now, closed_by=ledger.WATCH, resolution=GONE))
    still = {incident.cause_key for incident, _ in decisions.muted}
    book.resolved = [
        dataclasses.replace(one, last_seen_at=now) if one.cause_key in still else one for one in book.resolved
    ]


def forget_gone(
    book: Journal, causes: Collection[str], now: dt.datetime, *, could_see: Callable[[Incident], bool]
) -> None:
    """Leave out what somebody has resolved and whose cause has gone: when it comes back, that is another incident.

    Args:
        causes: Keys of all causes that are seen.
        could_see: Whether the cause of one could be looked at.
    """
    book.resolved = [
        one for one in book.resolved if one.cause_key in causes or not could_see(one) or not has_gone(one, now)
    ]


def enter_journal(connection: psycopg.Connection[Any], journal: Journal, told: Told) -> list[int]:
    """Enter into the ledger what it does not know yet; the incidents that are over by it, and of which people knew.

    May be repeated. To be called in a transaction.

    Args:
        connection: The warehouse; it may have been restored from a backup that is older than the journal.
        journal: What is to be entered.
        told: What has been sent: of the incidents that the ledger does not know, the outbox learns it, too.
    """
    numbers: dict[tuple[str, dt.datetime], int] = {}
    in_journal = {posted.message.message_id for posted in journal.posted}
    over: list[int] = []
    for one in sorted(journal.incidents, key=lambda incident: incident.opened_at):
        entered = _open(connection, one)
        if one.incident_id and entered.opened_at < one.opened_at:
            # The ledger has gone back: what was open then had closed before this one opened.
            ledger.close(connection, entered.incident_id, by=ledger.WATCH, why=RESTORED, at=one.opened_at)
            entered = _open(connection, one)
        numbers[one.cause_key, one.opened_at] = entered.incident_id
        if entered.opened_at == one.opened_at:
            for note in told.of_incident(one.cause_key, one.opened_at):
                # What the journal has says more than the note: who is still to get it.
                if note.message_id not in in_journal:
                    enter_note(connection, note, entered.incident_id)
        if entered.opened_at != one.opened_at or entered.closed_at is not None:
            continue
        if one.closed_at is None and one.last_seen_at > entered.last_seen_at:
            # Else one that was seen seconds ago in the journal would be over for the ledger.
            ledger.see_again(connection, entered, cause_of(one), at=one.last_seen_at)
        if ledger.graver(one.gravity, entered.gravity):
            ledger.worsen(connection, entered.incident_id, one.gravity, at=one.last_seen_at)
        if one.acknowledged_at is not None and one.acknowledged_by and entered.acknowledged_at is None:
            ledger.acknowledge(connection, entered.incident_id, by=one.acknowledged_by, at=one.acknowledged_at)
        if one.announced_at is not None:
            ledger.announce(connection, entered.incident_id, at=one.announced_at)
        if one.closed_at is not None:
            ledger.close(
                connection,
                entered.incident_id,
                by=one.closed_by or ledger.WATCH,
                why=one.resolution or "",
                at=one.closed_at,
            )
            over += [entered.incident_id] if one.announced_at is not None else []
    for posted in journal.posted:
        enter_message(
            connection,
            posted.message,
            posted.channel,
            incident_id=numbers.get((posted.cause_key, posted.opened_at)),
            send_after=posted.send_after,
            created_at=posted.created_at,
            tried=posted.tried,
        )
    return over


def _open(connection: psycopg.Connection[Any], one: Incident) -> Incident:
    return ledger.open_incident(
        connection,
        cause_of(one),
        at=one.opened_at,
        last_seen_at=one.last_seen_at,
        announced_at=one.announced_at,
    )


def journal_path(folder: Path) -> Path:
    """The journal's file in the watch's folder."""
    return folder / "journal.json"


def load(folder: Path, told: Told | None = None) -> Journal:
    """The journal as it was saved last; what *told* knows where there is none, or, with its problem, a damaged one."""
    told = told or Told()
    try:
        content = json.loads(read_regular(journal_path(folder), most_bytes=_LARGEST_FILE_BYTES))
        if not isinstance(content["is_ahead"], bool):
            raise TypeError
        return Journal(
            incidents=[_incident(one) for one in content["incidents"]],
            posted=[_posted(one) for one in content["posted"]],
            resolved=[_incident(one) for one in content.get("resolved", ())],
            is_ahead=content["is_ahead"],
        )
    except FileNotFoundError:
        return rebuilt(told)
    except OSError as error:
        return rebuilt(told, f"the file cannot be read: {error.strerror or 'it is no regular file'}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # The ledger knows what was open; a file of another version, or one cut off by a full disk, says nothing.
        return rebuilt(told, "the file is damaged")


def rebuilt(told: Told, problem: str = "") -> Journal:
    """A journal of the incidents that people were told of, and of whose end they were not."""
    return Journal(
        incidents=[
            _incident_of(notes)
            for notes in told.by_incident().values()
            if {note.change for note in notes} & {"opened", "worsened"}
            and all(note.change != "closed" for note in notes)
        ],
        problem=problem,
    )


def _incident_of(notes: Sequence[Note]) -> Incident:
    """An incident as far as the notes of what was sent about it say."""
    key, opened_at = notes[0].incident or ("", notes[0].sent_at)
    kind, _, about = key.partition(":")
    feeds = notes[-1].about.get("feeds")
    cause = Cause(
        kind=kind,
        about=about,
        gravity="critical" if any(note.gravity == "critical" for note in notes) else "warning",
        title_zh=notes[-1].said("title_zh") or notes[-1].subject,
        title_en=notes[-1].said("title_en") or notes[-1].subject,
        feeds=tuple(str(feed) for feed in feeds) if isinstance(feeds, list) else (),
    )
    return dataclasses.replace(
        new_incident(cause, opened_at),
        last_seen_at=max(note.sent_at for note in notes),
        announced_at=min(note.sent_at for note in notes),
    )


def put_aside(folder: Path) -> bool:
    """Keep the file beside the journal as ``journal.json.damaged``; whether that could be done."""
    path = journal_path(folder)
    try:
        path.replace(path.with_name(f"{path.name}.damaged"))
    except OSError:
        return False
    return True


def save(folder: Path, journal: Journal) -> None:
    """Write the journal whole, or leave the one that is there."""
    content = {
        "is_ahead": journal.is_ahead,
        "incidents": [dataclasses.asdict(one) for one in journal.incidents],
        "posted": [dataclasses.asdict(one) for one in journal.posted],
        "resolved": [dataclasses.asdict(one) for one in journal.resolved],
    }
    write_whole(journal_path(folder), as_json(content))


def mirror(incidents: Sequence[Incident], resolved: Sequence[Incident] = ()) -> Journal:
    """A journal that says what the ledger does: what is open, and what somebody has resolved and is there still."""
    return Journal(incidents=list(incidents), resolved=list(resolved))


def _incident(content: dict[str, Any]) -> Incident:
    return _checked(Incident(**_instants(content, *_INSTANTS)), Incident)


def _posted(content: dict[str, Any]) -> Posted:
    values = _instants(content, "opened_at", "send_after", "created_at")
    values["message"] = _checked(Message(**content["message"]), Message)
    tried = _instants(content["tried"], "sent_at", "tried_at", "first_tried_at", "retry_at", "given_up_at")
    values["tried"] = _checked(Tried(**{**tried, "rest": tuple(tried["rest"])}), Tried)
    return _checked(Posted(**values), Posted)


def _instants(content: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        name: dt.datetime.fromisoformat(value) if name in names and value is not None else value
        for name, value in content.items()
    }


_Record = TypeVar("_Record")


def _checked(record: _Record, kind: type[_Record]) -> _Record:
    """*record*, each of whose fields is of the type that its class declares."""
    for name, hint in get_type_hints(kind).items():
        if not _fits(getattr(record, name), hint):
            raise TypeError(f"{kind.__name__}.{name}")
    return record


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in parts)
    if origin is Literal:
        return value in parts
    if origin is not None:
        if not isinstance(value, origin) or isinstance(value, str):
            return False
        return not isinstance(value, Sequence) or all(_fits(one, parts[0]) for one in value)
    if hint is dt.datetime:
        return isinstance(value, dt.datetime) and value.tzinfo is not None
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
