"""What has been sent, beside the heartbeat: a warehouse that was restored from a backup does not know of it.

One line for each message, added before the outbox says so: what was sent once is not sent again, whether the warehouse
has gone back to yesterday or broke off before it could note it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from threegaps.home.files import read_regular
from threegaps.watch.files import write_whole
from threegaps.watch.message import Message

KEPT = dt.timedelta(days=35)
"""So old may a backup be, and nothing that was told since is told again."""
KEPT_AT_LEAST = 10_000
"""So many of the newest are never forgotten, however old a clock that has jumped calls them."""
_LARGEST_FILE_BYTES = 33_554_432


@dataclass(frozen=True, slots=True)
class Note:
    """One message that was sent through one channel.

    Args:
        sent_as: The id of the message that went out: its own, or that of the one in which several were bundled.
        cause_key: Of its incident, as `opened_at` is; None for a digest.
        about: What the message said of its incident (`_ABOUT`): enough to know it again where nothing else does.
    """

    message_id: str
    sent_as: str
    sent_at: dt.datetime
    channel: str
    change: str
    gravity: str
    subject: str
    cause_key: str | None = None
    opened_at: dt.datetime | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def incident(self) -> tuple[str, dt.datetime] | None:
        """Its incident, by cause and opening; None for a digest."""
        return None if self.cause_key is None or self.opened_at is None else (self.cause_key, self.opened_at)

    def said(self, name: str) -> str | None:
        """What it says of its incident under *name*; None where that is no text."""
        found = self.about.get(name)
        return found if isinstance(found, str) and found else None


_ABOUT = ("title_zh", "title_en", "feeds", "closed_by", "resolution")


def note_of(message: Message, channel: str, *, sent_as: str, sent_at: dt.datetime) -> Note:
    """The note that *message* was sent."""
    opened = message.content.get("opened_at") if message.content.get("cause_key") else None
    return Note(
        message_id=message.message_id,
        sent_as=sent_as,
        sent_at=sent_at,
        channel=channel,
        change=message.change,
        gravity=message.gravity,
        subject=message.subject,
        cause_key=str(message.content["cause_key"]) if opened else None,
        opened_at=dt.datetime.fromisoformat(str(opened)) if opened else None,
        about={name: message.content[name] for name in _ABOUT if message.content.get(name)} if opened else {},
    )


class Told:
    """The notes of the last `KEPT`.

    Args:
        folder: The watch's folder; None keeps them in memory only.

    Attributes:
        problem: Why the last notes could not be written; empty where they were.
        loss: What could not be read of the file; whoever has said it makes it empty.
        learned_until: Up to when it has been noted what the outbox says that was sent; None before the first time.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = None if folder is None else told_path(folder)
        self._notes: dict[str, Note] = {}
        self._unwritten: list[Note] = []
        self.problem = ""
        self.loss = ""
        self.learned_until: dt.datetime | None = None
        self.load()

    def load(self) -> None:
        """Read the file again: another watch of this home may have written it."""
        if self._path is None:
            return
        notes, self.loss = _read(self._path)
        self._notes |= {note.message_id: note for note in notes}

    def get(self, message_id: str) -> Note | None:
        """The note that this message was sent; None where there is none."""
        return self._notes.get(message_id)

    def of_incident(self, cause_key: str, opened_at: dt.datetime) -> list[Note]:
        """What was sent of an incident, in order."""
        return [one for one in self._notes.values() if one.incident == (cause_key, opened_at)]

    def by_incident(self) -> dict[tuple[str, dt.datetime], Sequence[Note]]:
        """What was sent of each incident, in order."""
        found: dict[tuple[str, dt.datetime], list[Note]] = {}
        for note in self._notes.values():
            if note.incident is not None:
                found.setdefault(note.incident, []).append(note)
        return dict(found)

    def endings(self) -> dict[tuple[str, dt.datetime], Note]:
        """The incidents of whose end somebody was told, with the note of it."""
        return {note.incident: note for note in self._notes.values() if note.change == "closed" and note.incident}

    def add(self, notes: Iterable[Note]) -> None:
        """Note that these were sent. A disk that is full keeps nobody from sending; the next notes bring them."""
        added = [one for one in notes if one.message_id not in self._notes]
        self._notes |= {one.message_id: one for one in added}
        self._unwritten += added
        if self._path is None or not self._unwritten:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o640)
            with os.fdopen(opened, "a", encoding="utf-8") as file:
                # A line that a full disk cut off before is ended first.
                file.write("".join(f"\n{_line(one)}" for one in self._unwritten) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            return
        self._unwritten, self.problem = [], ""

    def learn(self, sent: Iterable[Note]) -> None:
        """Note what the outbox says that was sent, whichever watch of the warehouse sent it."""
        sent = list(sent)
        self.add(sent)
        if sent:
            self.learned_until = max(one.sent_at for one in sent)

    def forget_old(self, now: dt.datetime) -> None:
        """Leave out what is older than `KEPT`, where that is a tenth of all: the file is written anew."""
        first_spared = len(self._notes) - KEPT_AT_LEAST
        if first_spared <= 0:
            return
        kept = {
            number: one
            for place, (number, one) in enumerate(self._notes.items())
            if place >= first_spared or now - one.sent_at < KEPT
        }
        if len(self._notes) - len(kept) <= len(kept) // 10:
            return
        self._notes = kept
        self._write_anew()

    def mend(self) -> None:
        """Keep a file of which something is lost as ``told.jsonl.damaged``, and write what is known of it anew."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
        self._write_anew()

    def _write_anew(self) -> None:
        if self._path is None:
            return
        try:
            write_whole(self._path, "".join(f"{_line(one)}\n" for one in self._notes.values()))
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            return
        self._unwritten, self.problem = [], ""


def told_path(folder: Path) -> Path:
    """The file of the notes in the watch's folder."""
    return folder / "told.jsonl"


def _line(note: Note) -> str:
    written: Mapping[str, Any] = {
        name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in asdict(note).items()
    }
    # In ASCII: a line that is cut off leaves the others readable.
    return json.dumps(written)


def _read(path: Path) -> tuple[list[Note], str]:
    """The notes of the file, and what is lost of it; a line that is damaged says nothing, the others what they say."""
    try:
        text = read_regular(path, most_bytes=_LARGEST_FILE_BYTES, errors="replace")
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"the file cannot be read: {error.strerror or 'it is no regular file'}"
    except ValueError:
        return [], "the file is too large"
    lines = [line for line in text.split("\n") if line]
    notes = [note for line in lines if line.isascii() and (note := _note(line)) is not None]
    damaged = len(lines) - len(notes)
    return notes, f"{damaged} of {len(lines)} lines are damaged" if damaged else ""


def _note(line: str) -> Note | None:
    try:
        content = json.loads(line)
        for name in ("sent_at", "opened_at"):
            content[name] = None if content[name] is None else dt.datetime.fromisoformat(content[name])
        note = Note(**content)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = (note.message_id, note.sent_as, note.channel, note.change, note.gravity, note.subject)
    instants = [one for one in (note.sent_at, note.opened_at) if one is not None]
    is_whole = all(isinstance(one, str) for one in texts) and all(one.tzinfo is not None for one in instants)
    is_whole = is_whole and isinstance(note.about, dict)
    is_whole = is_whole and note.sent_at is not None and (note.cause_key is None) == (note.opened_at is None)
    return note if is_whole else None
