"""Works off the outbox: each message once through its channel, those about one incident in their order.

A message is claimed, sent and noted in one transaction: only a process that ends between sending and noting sends it
again, under the same id. One sender at a time works on a channel, so that two never pass each other.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from threegaps.ledger import outbox
from threegaps.ledger.incidents import GRAVITIES, compared_at
from threegaps.ledger.outbox import Tried
from threegaps.settings import SHANGHAI
from threegaps.watch.alerts import Alerts
from threegaps.watch.message import SYNTHETIC_MARK, Channel, Concerns, Message
from threegaps.watch.snapshot import ChannelSeen, OutboxSeen
from threegaps.watch.told import KEPT, Told, note_of
from threegaps.watch.trying import (
    FAR,
    LEAST_TRIES,
    LONGEST_BETWEEN,
    NEAR,
    PASS_SECONDS,
    Outcome,
    after,
    hand_over,
    is_overdue,
    made_by_clock,
    of_rest,
    pause_seconds,
    tried_by_clock,
)

MESSAGES_PER_PASS = 20
"""Through one channel; what is left comes in the next pass. No robot takes more in a minute."""
GIVEN_UP_SHOWN = dt.timedelta(days=7)
"""So long a message that was given up stays visible."""
_GRAVITIES = ("notice", *GRAVITIES)
_MOST_LINES = 40
# One sender at a time on a channel; the first number stands for that.
_LOCK_CLASS = 7_237_031
_LEARNED_AGAIN = dt.timedelta(minutes=10)
_WAITING = "sent_at is null and given_up_at is null and cancelled_at is null"
# What was sent, but for some recipients.
_HAS_REST = "sent_at is not null and retry_at is not null and content ? 'rest'"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one pass has done.

    Args:
        messages: Handed over; a bundle is one.
        failed: Tries that failed and will be repeated.
        given_up: Rows that were given up.
        cancelled: Rows that need not be sent any more.
        errors: What the channels that failed said, by channel: in our words, with code numbers only.
    """

    messages: int = 0
    failed: int = 0
    given_up: int = 0
    cancelled: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    outbox_id: int
    incident_id: int | None
    change: str
    message_id: str
    gravity: str
    subject: str
    body: str
    content: Mapping[str, Any]
    send_after: dt.datetime
    created_at: dt.datetime
    tried: Tried
    opening: str | None = None
    passed_at: dt.datetime | None = None


_STATE = tuple(one.name for one in fields(Tried) if one.name != "rest")
_ROW = ", ".join(
    (
        *("outbox_id", "incident_id", "change", "message_id", "gravity", "subject", "body", "content"),
        *("send_after", "created_at", *_STATE),
    )
)

# What a message of the outbox `o` follows in its channel.
_OPENING = (
    "(select coalesce(first.sent_as, first.message_id) from ops.outbox as first where first.incident_id = o.incident_id"
    " and first.channel = o.channel and first.sent_at is not null order by first.outbox_id limit 1) as opening"
)


def _row(found: Mapping[str, Any]) -> _Row:
    """A row of the outbox; in its content stands, too, who is still to get it."""
    content = {name: value for name, value in found["content"].items() if name != "rest"}
    tried = Tried(**{name: found[name] for name in _STATE}, rest=tuple(found["content"].get("rest", ())))
    others = {name: value for name, value in found.items() if name not in {*_STATE, "content"}}
    return _Row(**others, content=content, tried=tried)


def send_due(
    connection: psycopg.Connection[Any],
    channels: Mapping[str, Channel],
    now: dt.datetime,
    *,
    burst: int = 5,
    give_up_after: dt.timedelta = dt.timedelta(hours=24),
    told: Told | None = None,
    is_synthetic: bool = False,
    until: float | None = None,
) -> Sent:
    """Send what is due, through all channels; one that fails holds up no other.

    Args:
        connection: The warehouse, in autocommit and in no transaction: each message has its own.
        channels: Those of alerts.yaml, by name.
        now: What is due is judged by it.
        burst: More openings (or closings) than that in one pass go out in one message.
        give_up_after: A message that has been due for so long is given up.
        told: What has been sent, whatever the outbox says; what is sent is noted there first.
        is_synthetic: The departments are the sandbox's.
        until: No message is begun later, by `time.monotonic`; by default in `trying.PASS_SECONDS`.

    Raises:
        ValueError: The connection is not in autocommit.
    """
    if not connection.autocommit:
        raise ValueError("each message needs a transaction of its own: a connection in autocommit")
    total = Sent()
    told = told or Told()
    _learn(connection, told)
    until = time.monotonic() + PASS_SECONDS if until is None else until
    for name in _with_work(connection):
        channel = channels.get(name)
        done = _Sender(connection, name, channel, now, burst, give_up_after, told, is_synthetic, until).work()
        total = Sent(
            total.messages + done.messages,
            total.failed + done.failed,
            total.given_up + done.given_up,
            total.cancelled + done.cancelled,
            {**total.errors, **done.errors},
        )
    return total


def _learn(connection: psycopg.Connection[Any], told: Told) -> None:
    """Take over into *told* what the outbox says was sent: by a watch of another home, or before notes were lost."""
    now = dt.datetime.now(SHANGHAI)
    # What was noted last may have become visible after what was noted later.
    since = now - KEPT if told.learned_until is None else min(told.learned_until, now) - _LEARNED_AGAIN
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select message_id, sent_as, sent_at, change, channel, gravity, subject, content from ops.outbox"
            " where sent_at > %s order by sent_at",
            [since],
        ).fetchall()
    told.learn(
        note_of(
            Message(row["message_id"], None, row["change"], row["gravity"], row["subject"], "", row["content"]),
            row["channel"],
            sent_as=row["sent_as"],
            sent_at=row["sent_at"],
        )
        for row in rows
    )


def _with_work(connection: psycopg.Connection[Any]) -> list[str]:
    """Channels for which something waits; those that fail come last, and hold up no other."""
    rows = connection.execute(
        f"select channel from ops.outbox where {_WAITING} or ({_HAS_REST}) group by channel"
        " order by max(tries) filter (where sent_at is null) nulls first, channel".encode()
    ).fetchall()
    return [str(row[0]) for row in rows]


def follow_clock(connection: psycopg.Connection[Any], now: dt.datetime) -> None:
    """Where the clock was put on or back since the last pass of a watch, no message is given up or lost for that.

    Args:
        connection: The warehouse, in the transaction that notes this pass.
        now: The instant of this pass.
    """
    before = compared_at(connection)
    if before is not None and now - before > LONGEST_BETWEEN:
        outbox.pass_over(connection, before, now)
    elif before is not None and before - now > NEAR:
        outbox.take_back_digests(connection, now)


class _Sender:
    """One channel in one pass."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        name: str,
        channel: Channel | None,
        now: dt.datetime,
        burst: int,
        give_up_after: dt.timedelta,
        told: Told,
        is_synthetic: bool,
        until: float,
    ) -> None:
        self._until = until
        self._connection = connection
        self._name = name
        self._channel = channel
        self._now = now
        self._burst = burst
        self._give_up_after = give_up_after
        self._told = told
        self._is_synthetic = is_synthetic
        self._done = Sent()
        # What has just failed where nobody can say whether the channel did or the message: one other may be tried.
        self._failed: Sequence[_Row] = ()

    def work(self) -> Sent:
        """Send until nothing is left, or the pass has had its share of messages or of time."""
        for number in range(MESSAGES_PER_PASS):
            if self._is_late():
                break
            with self._connection.transaction():
                if not self._is_alone():
                    break
                if number == 0:
                    self._note_told()
                # What is new is told before the few who put something off are asked again.
                if not (self._step() or self._send_rest()):
                    break
        return self._done

    def _is_late(self) -> bool:
        """Whether a message that is begun now could be cut before it is noted."""
        return time.monotonic() > self._until

    def _is_alone(self) -> bool:
        row = self._connection.execute(
            "select pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_CLASS, self._name]
        ).fetchone()
        return bool(row and row[0])

    def _step(self) -> bool:
        """Send one message; whether there may be more to send."""
        self._follow_clock()
        self._give_up_overdue()
        self._cancel_needless()
        if self._channel is None or self._pauses("channel"):
            return False
        rows = self._due()
        is_probe = self._pauses("either")
        chosen = self._probe(rows) if is_probe else _bundle_of(rows, self._burst)
        self._failed = ()
        if not chosen:
            return False
        message, held = self._made(chosen), self._held(chosen)
        if self._is_late():
            return False
        outcome = hand_over(self._channel, message, chosen[0].tried, held=held)
        if outcome.error is not None:
            return self._note_failure(chosen, outcome, message.message_id, is_probe=is_probe)
        if outcome.is_held:
            # Whoever is to get it gets something earlier first; what is of others goes on.
            waiting = {row.outbox_id: after(row.tried, outcome, self._now, sent_as="") for row in chosen}
            outbox.note(self._connection, waiting)
            return True
        self._note_sent(chosen, outcome, message.message_id)
        return True

    def _made(self, rows: Sequence[_Row]) -> Message:
        is_bundle = len(rows) > 1
        return _bundled(rows, is_synthetic=self._is_synthetic) if is_bundle else _message(rows[0])

    def _send_rest(self) -> bool:
        """Send what some recipients have to those who put it off, in an incident's order; whether there may be more."""
        if self._channel is None or self._pauses("channel"):
            return False
        with self._connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(
                f"select {_ROW}, {_OPENING} from ops.outbox as o where channel = %s and {_HAS_REST}"
                " order by outbox_id for update of o".encode(),
                [self._name],
            ).fetchall()
        groups: dict[str | None, list[_Row]] = {}
        for row in map(_row, found):
            groups.setdefault(row.tried.sent_as, []).append(row)
        waits: dict[int | None, set[str]] = {}
        for sent_as, rows in groups.items():
            first = rows[0]
            held: set[str] = set().union(
                *(waits.get(row.incident_id, set()) for row in rows if row.incident_id is not None)
            )
            is_due = first.tried.retry_at is not None and first.tried.retry_at <= self._now
            if is_due and not held >= set(first.tried.rest):
                message = self._made(rows)
                if self._is_late():
                    return False
                outcome = hand_over(self._channel, message, first.tried, held=held)
                is_last = is_overdue(first.tried, first.send_after, first.created_at, self._now, self._give_up_after)
                outcome = of_rest(first.tried, outcome, is_last=is_last)
                states = {row.outbox_id: after(row.tried, outcome, self._now, sent_as=str(sent_as)) for row in rows}
                outbox.note(self._connection, states)
                self._say(states[first.outbox_id].last_error)
                # A channel that fails is not asked again for each message.
                return outcome.error is None or outcome.error.concerns == "message"
            for row in rows:
                waits.setdefault(row.incident_id, set()).update(row.tried.rest)
        return False

    def _held(self, rows: Sequence[_Row]) -> set[str]:
        """Recipients who are still to get something earlier of these incidents."""
        found = self._connection.execute(
            "select distinct jsonb_array_elements_text(content -> 'rest') from ops.outbox"
            f" where channel = %s and incident_id = any(%s) and {_HAS_REST}".encode(),
            [self._name, [row.incident_id for row in rows if row.incident_id is not None]],
        ).fetchall()
        return {str(row[0]) for row in found}

    def _say(self, said: str | None) -> None:
        if said:
            self._done = replace(self._done, errors={**self._done.errors, self._name: said})

    def _probe(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """A message that shows whether the channel fails, or only one that waits for its pause; none where none is due.

        That is one that was never tried; and just after a failure any other, each time another one: of two that are at
        fault neither shows that the channel is well. Of a bundle that failed one alone does.
        """
        if fresh := [row for row in rows if not row.tried.tries]:
            return fresh[:1]
        others = rows or (self._failed if len(self._failed) > 1 else ())
        if not self._failed or not others:
            return ()
        return [others[self._failed[0].tried.tries % len(others)]]

    def _note_told(self) -> None:
        """What the notes say was sent is not sent again: the warehouse was restored, or broke off before it knew."""
        rows = self._connection.execute(
            f"select outbox_id, message_id from ops.outbox where channel = %s and {_WAITING}".encode(), [self._name]
        ).fetchall()
        for outbox_id, message_id in rows:
            note = self._told.get(str(message_id))
            if note is not None:
                self._connection.execute(
                    "update ops.outbox set sent_at = %s, sent_as = %s, tries = greatest(tries, 1), retry_at = null,"
                    " is_refused = false, fault = null where outbox_id = %s",
                    [note.sent_at, note.sent_as, outbox_id],
                )

    def _follow_clock(self) -> None:
        """Where the clock was put back, what was made or tried in what is now the future counts as of now."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(
                f"select {_ROW} from ops.outbox where channel = %s and ({_WAITING} or ({_HAS_REST}))"
                " and (created_at > %s or tried_at > %s)".encode(),
                [self._name, self._now + FAR, self._now + NEAR],
            ).fetchall()
        rows = [_row(one) for one in found]
        outbox.note(self._connection, {row.outbox_id: tried_by_clock(row.tried, self._now) for row in rows})
        for row in rows:
            made = made_by_clock(row.created_at, row.send_after, self._now)
            self._connection.execute(
                "update ops.outbox set created_at = %s, send_after = %s where outbox_id = %s", [*made, row.outbox_id]
            )

    def _cancel_needless(self) -> None:
        """What nobody need be told any more in this channel.

        - A later change that is due at once carries all that an earlier one says that still waits for its hour.
        - What was over before its hour came: opening and close both, also where the close goes elsewhere.
        - What follows an opening that was never told here.
        """
        cancelled = self._connection.execute(
            f"""
            update ops.outbox as o set cancelled_at = clock_timestamp(), last_error = 'not needed any more'
            where o.channel = %(channel)s and {_WAITING.replace("sent_at", "o.sent_at")} and o.incident_id is not null
              and (
                (o.change <> 'closed' and o.send_after > %(now)s and (exists (
                    select from ops.incident as i where i.incident_id = o.incident_id and i.closed_at is not null)
                  or exists (
                    select from ops.outbox as later where later.incident_id = o.incident_id
                    and later.channel = o.channel and later.outbox_id > o.outbox_id
                    and (later.change = 'closed' or (later.change = 'worsened' and later.send_after <= %(now)s)))))
                or (o.change not in ('opened', 'worsened') and not exists (
                    select from ops.outbox as earlier where earlier.incident_id = o.incident_id
                    and earlier.channel = o.channel and earlier.change in ('opened', 'worsened')
                    and earlier.outbox_id < o.outbox_id and (
                        earlier.sent_at is not null
                        or (earlier.given_up_at is null and earlier.cancelled_at is null
                            and not (earlier.send_after > %(now)s and o.change = 'closed')))))
              )
            """.encode(),
            {"channel": self._name, "now": self._now},
        ).rowcount
        if cancelled:
            self._done = replace(self._done, cancelled=self._done.cancelled + cancelled)

    def _give_up_overdue(self) -> None:
        """What has been due for too long, and was tried often: the watch may have been away, or the clock put on.

        What alone is refused for good is given up once it was tried often; that it is alone show others that were
        taken since it was made.
        """
        given_up = self._connection.execute(
            "update ops.outbox as o set given_up_at = clock_timestamp(),"
            " last_error = coalesce(last_error, 'There is no channel of this name in alerts.yaml.')"
            f" where channel = %(channel)s and {_WAITING} and (tries >= %(least)s or %(has_none)s)"
            " and (greatest(send_after, created_at) + %(after)s < %(now)s"
            " or (fault = 'message' and is_refused and exists (select from ops.outbox as taken"
            " where taken.channel = o.channel and taken.sent_at > o.first_tried_at)))".encode(),
            {
                "channel": self._name,
                "has_none": self._channel is None,
                "least": LEAST_TRIES,
                "after": self._give_up_after,
                "now": self._now,
            },
        ).rowcount
        if given_up:
            self._done = replace(self._done, given_up=self._done.given_up + given_up)

    def _pauses(self, fault: str) -> bool:
        """Whether a try failed for *fault*, and the pause after it is not over."""
        row = self._connection.execute(
            f"select exists (select from ops.outbox where channel = %s and {_WAITING} and fault = %s"
            " and retry_at > %s)".encode(),
            [self._name, fault, self._now],
        ).fetchone()
        return bool(row and row[0])

    def _due(self) -> list[_Row]:
        """What is due and not in a pause, in order; nothing of an incident of which something earlier waits.

        What failed for itself comes after the rest.
        """
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(
                f"""
                select {_ROW}, {_OPENING},
                       case when incident_id is null then case when fault = 'message' then tried_at end
                       else (select max(passed.tried_at) from ops.outbox as passed
                        where passed.incident_id = o.incident_id and passed.channel = o.channel
                        and passed.fault = 'message' and passed.sent_at is null and passed.given_up_at is null
                        and passed.cancelled_at is null) end as passed_at
                from ops.outbox as o
                where channel = %(channel)s and {_WAITING} and send_after <= %(now)s
                  and (retry_at is null or retry_at <= %(now)s)
                  and not exists (
                    select from ops.outbox as earlier
                    where earlier.incident_id = o.incident_id and earlier.channel = o.channel
                    and earlier.outbox_id < o.outbox_id
                    and (earlier.send_after > %(now)s or earlier.retry_at > %(now)s)
                    and earlier.sent_at is null and earlier.given_up_at is null and earlier.cancelled_at is null)
                order by passed_at nulls first, outbox_id limit 1000 for update of o skip locked
                """.encode(),
                {"channel": self._name, "now": self._now},
            ).fetchall()
        found = [_row(row) for row in rows]
        return [row for row in found if row.passed_at is None] or found

    def _note_sent(self, rows: Sequence[_Row], outcome: Outcome, sent_as: str) -> None:
        self._note(rows, sent_as)
        outbox.note(
            self._connection,
            {row.outbox_id: after(row.tried, outcome, self._now, sent_as=sent_as) for row in rows},
        )
        # The channel takes messages: what has just failed did so for itself.
        self._connection.execute(
            "update ops.outbox set fault = 'message'"
            f" where channel = %s and {_WAITING} and fault = 'either' and retry_at > %s".encode(),
            [self._name, self._now],
        )
        self._say(outcome.remark)
        self._done = replace(self._done, messages=self._done.messages + 1)

    def _note(self, rows: Sequence[_Row], sent_as: str) -> None:
        """Note beside the heartbeat that these were sent, before the outbox does."""
        at = dt.datetime.now(SHANGHAI)
        self._told.add(note_of(_message(row), self._name, sent_as=sent_as, sent_at=at) for row in rows)

    def _note_failure(self, rows: Sequence[_Row], outcome: Outcome, sent_as: str, *, is_probe: bool) -> bool:
        """Note that a try failed; whether others may be tried in this pass."""
        assert outcome.error is not None  # noqa: S101  # what failed says why
        fault: Concerns = outcome.error.concerns
        pause = outcome.error.pause_seconds(pause_seconds(min(row.tried.tries for row in rows)))
        if fault == "either" and is_probe:
            # Two have failed, one after the other: the channel waits until the first one's pause is over.
            fault, pause = "channel", max(pause, self._doubted_for())
        elif fault == "either" and (self._done.messages or rows[0].passed_at is not None):
            # Another one has just been taken, or was after this one failed before.
            fault = "message"
        if fault == "message" and len(rows) > 1:
            # One of a bundle is at fault: each goes alone now.
            pause = 0.0
        states = {
            row.outbox_id: after(row.tried, outcome, self._now, sent_as=sent_as, fault=fault, pause=pause)
            for row in rows
        }
        self._note([row for row in rows if states[row.outbox_id].sent_at is not None], sent_as)
        outbox.note(self._connection, states)
        self._done = replace(self._done, failed=self._done.failed + 1)
        self._say(outcome.error.message)
        self._failed = rows if fault == "either" else ()
        return fault != "channel"

    def _doubted_for(self) -> float:
        """For how many seconds what failed for it or its channel waits still."""
        row = self._connection.execute(
            "select extract(epoch from max(retry_at) - %s)::float from ops.outbox"
            f" where channel = %s and {_WAITING} and fault = 'either'".encode(),
            [self._now, self._name],
        ).fetchone()
        return float(row[0]) if row and row[0] is not None else 0.0


def _bundle_of(rows: Sequence[_Row], burst: int) -> Sequence[_Row]:
    """The rows that go out now, in one message: openings before all, closings after all where there are many."""
    if rows and rows[0].passed_at is not None:
        return rows[:1]
    openings = [row for row in rows if row.change == "opened"]
    if len(openings) > burst:
        return openings
    closings = [row for row in rows if row.change == "closed"]
    if len(closings) <= burst:
        return rows[:1]
    others = [row for row in rows if row.change != "closed"]
    return others[:1] if others else closings


def _message(row: _Row) -> Message:
    """The message as it was entered; it follows what was in truth sent first about its incident in this channel."""
    content = {key: value for key, value in row.content.items() if key != "reply_to"}
    if row.opening is not None:
        content["reply_to"] = row.opening
    return Message(row.message_id, row.incident_id, row.change, row.gravity, row.subject, row.body, content)


def _bundled(rows: Sequence[_Row], *, is_synthetic: bool) -> Message:
    """One message for many; its id comes from the first, so that it is the same after a crash."""
    is_opening = rows[0].change == "opened"
    gravity = max((row.gravity for row in rows), key=_GRAVITIES.index)
    what_zh, what_en = ("项新事件", "new incidents") if is_opening else ("项事件已解除", "incidents closed")
    return Message(
        message_id=f"bundle-{rows[0].message_id}",
        incident_id=None,
        change=rows[0].change,
        gravity=gravity,
        subject=f"{SYNTHETIC_MARK if is_synthetic else ''}[ThreeGaps] {len(rows)} {what_zh} · {len(rows)} {what_en}",
        text="\n".join(_lines(rows)),
        content={
            "bundled": [
                {"message_id": row.message_id, "incident_id": row.incident_id, **dict(row.content)} for row in rows
            ]
        },
    )


def _lines(rows: Sequence[_Row]) -> Iterable[str]:
    by_gravity = sorted(rows, key=lambda row: -_GRAVITIES.index(row.gravity))
    yield from (row.subject for row in by_gravity[:_MOST_LINES])
    if len(rows) > _MOST_LINES:
        yield f"另有 {len(rows) - _MOST_LINES} 项 · {len(rows) - _MOST_LINES} more"
    yield "查看 to see all: threegaps status"


def outbox_seen(connection: psycopg.Connection[Any], now: dt.datetime) -> OutboxSeen:
    """What waits, and what was given up in the last `GIVEN_UP_SHOWN`."""
    row = connection.execute(
        f"select count(*) filter (where {_WAITING}),"
        f" min(greatest(send_after, created_at)) filter (where {_WAITING} and send_after <= %(now)s),"
        " count(*) filter (where given_up_at > %(since)s) from ops.outbox"
        f" where {_WAITING} or given_up_at > %(since)s".encode(),
        {"now": now, "since": now - GIVEN_UP_SHOWN},
    ).fetchone()
    assert row is not None  # noqa: S101  # an aggregate has a row
    return OutboxSeen(int(row[0]), row[1], int(row[2]))


def channels_seen(connection: psycopg.Connection[Any], alerts: Alerts) -> tuple[ChannelSeen, ...]:
    """How each channel of alerts.yaml does, by what was last tried through it; and the messages that it refused."""
    names = [channel.name for channel in alerts.channels]
    with connection.cursor() as cursor:
        refused = {
            str(row[0]): (int(row[1]), str(row[2]))
            for row in cursor.execute(
                "select channel, count(*), (array_agg(last_error order by outbox_id desc))[1] from ops.outbox"
                f" where channel = any(%s) and fault = 'message' and is_refused and ({_WAITING} or given_up_at > %s)"
                " group by channel".encode(),
                [names, dt.datetime.now(SHANGHAI) - GIVEN_UP_SHOWN],
            )
        }
        rows = cursor.execute(
            # The last that ended says whether it refuses; what waits after a failed try says more of now.
            "select distinct on (channel) channel, given_up_at is not null or is_refused,"
            " coalesce(last_error, '') from ops.outbox"
            " where channel = any(%s) and tries > 0 and cancelled_at is null and fault is distinct from 'message'"
            " order by channel, coalesce(sent_at, given_up_at, 'infinity') desc, tried_at desc nulls last,"
            " outbox_id desc",
            [names],
        ).fetchall()
    last = {str(row[0]): (bool(row[1]), str(row[2])) for row in rows}
    found = []
    for channel in alerts.channels:
        is_refused, words = last.get(channel.name, (False, ""))
        zh = "" if not words else ("对方拒收,需要有人处理" if is_refused else "最近一次发送有问题,会再试")
        count, cause = refused.get(channel.name, (0, ""))
        if count and not words:
            zh = f"有{count}条消息被对方拒收,其余照常发送"
            words = f"{count} {'message was' if count == 1 else 'messages were'} refused, others go out: {cause}"
        found.append(ChannelSeen(channel.name, channel.kind, is_refused, zh, words, count, cause))
    return tuple(found)
