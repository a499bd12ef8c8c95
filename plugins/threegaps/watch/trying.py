"""One try to hand a message over, and what becomes of it: the same for the outbox and for the local journal."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from threegaps.errors import kind_of
from threegaps.ledger.outbox import Tried
from threegaps.settings import SHANGHAI
from threegaps.watch.journal import Journal, Posted
from threegaps.watch.message import UNCLEAR_TRIES, Channel, ChannelError, Concerns, Message, Taken
from threegaps.watch.told import Told, note_of

PASS_SECONDS = 30.0
"""No message is begun later in a pass; one takes `channels.conversation.CONVERSATION_SECONDS` at most."""
LONGEST_PAUSE_SECONDS = 300.0
LEAST_TRIES = 5
"""No message is given up before, however old the clock says that it is; one that alone is refused for good is then."""
_FIRST_PAUSE_SECONDS = 15.0
# Two machines never agree to the second.
NEAR = dt.timedelta(minutes=1)
FAR = dt.timedelta(hours=1)
LONGEST_BETWEEN = dt.timedelta(minutes=10)
"""No two passes of a watch that is at work are so far apart."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try.

    Args:
        error: Why it was not taken; None where it was.
        rest: Those of several recipients who are to get it later.
        remark: What is to be said although it was taken.
        is_held: Nothing was handed over: everybody is still to get something earlier.
    """

    error: ChannelError | None = None
    rest: tuple[str, ...] = ()
    remark: str = ""
    is_held: bool = False


def hand_over(channel: Channel, message: Message, tried: Tried, *, held: Collection[str] = ()) -> Outcome:
    """Hand *message* to those who have not got it; one channel's own fault is a failure of this try and no more.

    Args:
        held: Recipients for whom something earlier of the same incident waits: they get this one after it.
    """
    later: tuple[str, ...] = ()
    recipients = channel.recipients
    wanted = [one for one in recipients if tried.sent_at is None or one in tried.rest]
    if not wanted and (recipients or tried.sent_at is not None):
        # Those who were put off are its recipients no more, or the channel of this name has become another one.
        return Outcome()
    if recipients:
        later = tuple(one for one in wanted if one in held)
        if len(later) == len(wanted):
            return Outcome(rest=later, is_held=True)
        channel = channel.only([one for one in wanted if one not in held])
    try:
        taken = channel.send(message) or Taken()
    except ChannelError as error:
        return Outcome(error, later)
    except Exception as error:  # noqa: BLE001  # one channel's fault must not keep the others from telling
        return Outcome(ChannelError(f"The channel failed: {kind_of(error)}."), later)
    return Outcome(None, (*later, *taken.rest), taken.remark)


def after(
    tried: Tried,
    outcome: Outcome,
    now: dt.datetime,
    *,
    sent_as: str,
    fault: Concerns | None = None,
    pause: float | None = None,
) -> Tried:
    """How far a message has come by one more try.

    Args:
        now: The instant of the pass.
        sent_as: The id of the message that went out.
        fault: What it failed for, where more is known than the channel said.
        pause: Seconds until the next try, likewise.
    """
    at = dt.datetime.now(SHANGHAI)
    if outcome.is_held:
        # It was not tried: nobody has it, and nothing of it has failed.
        return replace(tried, retry_at=now + dt.timedelta(seconds=pause_seconds(tried.tries)))
    tried = replace(tried, tries=tried.tries + 1, tried_at=now, first_tried_at=tried.first_tried_at or at)
    usual = pause_seconds(tried.tries - 1)
    error = outcome.error
    if error is None:
        return replace(
            tried,
            sent_at=tried.sent_at or at,
            sent_as=tried.sent_as or sent_as,
            retry_at=now + dt.timedelta(seconds=usual) if outcome.rest else None,
            fault=None,
            is_refused=False,
            last_error=outcome.remark or None,
            rest=outcome.rest,
        )
    unclear = tried.unclear_tries + int(error.is_unclear)
    # Perhaps it was taken each time.
    counts = unclear >= UNCLEAR_TRIES
    # What those who are left refuse for good is over for them; a login that is refused is nobody's own refusal.
    is_over = counts or (tried.sent_at is not None and error.is_final and error.concerns == "message")
    # Nobody has handed it to those for whom it was held.
    rest = outcome.rest if is_over else tried.rest
    seconds = error.pause_seconds(usual) if pause is None else pause
    return replace(
        tried,
        unclear_tries=0 if counts and rest else unclear,
        sent_at=tried.sent_at or (at if counts else None),
        sent_as=tried.sent_as or (sent_as if counts else None),
        retry_at=None if is_over and not rest else now + dt.timedelta(seconds=seconds),
        fault=None if tried.sent_at else fault or error.concerns,
        is_refused=error.is_final and tried.sent_at is None,
        last_error=error.message,
        rest=rest,
    )


def pause_seconds(tries: int) -> float:
    """How long to wait after a try that failed, when *tries* have failed before it."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 20), LONGEST_PAUSE_SECONDS)


def is_overdue(
    tried: Tried, send_after: dt.datetime, created_at: dt.datetime, now: dt.datetime, give_up_after: dt.timedelta
) -> bool:
    """Whether a message was tried often enough, and has been due for so long that it is given up."""
    return tried.tries >= LEAST_TRIES and max(send_after, created_at) + give_up_after < now


def of_rest(tried: Tried, outcome: Outcome, *, is_last: bool) -> Outcome:
    """What came of a try for those who had put a message off; after the last one nobody is asked any more."""
    left = len(tried.rest) if outcome.error else len(outcome.rest)
    if not left or not is_last:
        return outcome
    return Outcome(
        ChannelError(f"{left} recipients put it off until it was given up.", is_final=True, concerns="message")
    )


def tried_by_clock(tried: Tried, now: dt.datetime) -> Tried:
    """Where the clock was put back, what was tried in what is now the future counts as tried now, and is due."""
    if tried.tried_at is None or tried.tried_at <= now + NEAR:
        return tried
    return replace(tried, tried_at=now, retry_at=now if tried.rest else None)


def made_by_clock(
    created_at: dt.datetime, send_after: dt.datetime, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """The same for when a message was made, and before when it is not to be sent."""
    is_far = created_at > now + FAR
    return min(created_at, now), min(send_after, now) if is_far else send_after


def work_off(
    book: Journal,
    channels: Mapping[str, Channel],
    now: dt.datetime,
    told: Told,
    *,
    noted: Callable[[str, str], None],
    give_up_after: dt.timedelta = dt.timedelta(hours=24),
) -> None:
    """Hand over what is due of the journal; what is waiting when the pass has had its time waits for the next.

    Each message for itself: none is bundled with others before the outbox has them. One is given up as it is there.

    Args:
        give_up_after: A message that has been due for so long is given up.
        noted: Called after each try, before the next one: the channel's name, and what is to be said of it.
    """
    until = time.monotonic() + PASS_SECONDS
    for posted in book.posted:
        posted.created_at, posted.send_after = made_by_clock(posted.created_at, posted.send_after, now)
        posted.tried = tried_by_clock(posted.tried, now)
        note = told.get(posted.message.message_id)
        if note is not None and posted.tried.sent_at is None:
            posted.tried = replace(posted.tried, sent_at=note.sent_at, sent_as=note.sent_as, retry_at=None)
        _pass_over(posted, now)
    for posted in book.posted:
        if _is_given_up(book, posted, now, give_up_after, has_channel=posted.channel in channels):
            said = posted.tried.last_error or "There is no channel of this name in alerts.yaml."
            posted.tried = replace(posted.tried, given_up_at=dt.datetime.now(SHANGHAI), last_error=said)
            noted(posted.channel, said)
    due = [one for one in book.posted if one.is_due(now)]
    failed: dict[str, int] = {}
    for one in due:
        failed[one.channel] = max(failed.get(one.channel, 0), one.tried.tries)
    # A channel that fails comes last, as in the outbox: it may take all the time of a pass.
    for posted in sorted(due, key=lambda one: (failed[one.channel], one.tried.tries)):
        channel = channels.get(posted.channel)
        if channel is None or time.monotonic() > until or book.waits_for_earlier(posted):
            continue
        if book.follows_what_was_given_up(posted, told):
            continue
        number, was_sent = posted.message.message_id, posted.tried.sent_at is not None
        outcome = hand_over(channel, posted.message, posted.tried, held=book.held(posted))
        if was_sent:
            is_last = is_overdue(posted.tried, posted.send_after, posted.created_at, now, give_up_after)
            outcome = of_rest(posted.tried, outcome, is_last=is_last)
        posted.tried = after(posted.tried, outcome, now, sent_as=number)
        if posted.tried.sent_at is not None and not was_sent:
            told.add([note_of(posted.message, posted.channel, sent_as=number, sent_at=posted.tried.sent_at)])
        noted(posted.channel, posted.tried.last_error or "")


def _pass_over(posted: Posted, now: dt.datetime) -> None:
    """Do not count the time in which nobody tried: no watch was at work, or the clock was put on."""
    due_again = posted.tried.retry_at or posted.tried.tried_at
    if due_again is not None and now - due_again > LONGEST_BETWEEN:
        posted.created_at = min(posted.created_at + (now - due_again), now)


def _is_given_up(
    book: Journal, posted: Posted, now: dt.datetime, give_up_after: dt.timedelta, *, has_channel: bool
) -> bool:
    """Whether nobody will be told of this any more: it has been due for too long, or is refused, and alone is."""
    tried = posted.tried
    if tried.sent_at is not None or tried.given_up_at is not None:
        return False
    if not has_channel:
        return max(posted.send_after, posted.created_at) + give_up_after < now
    if is_overdue(tried, posted.send_after, posted.created_at, now, give_up_after):
        return True
    is_refused = tried.fault == "message" and tried.is_refused and tried.tries >= LEAST_TRIES
    return is_refused and any(
        one.channel == posted.channel
        and one.tried.sent_at is not None
        and tried.first_tried_at is not None
        and one.tried.sent_at > tried.first_tried_at
        for one in book.posted
    )
