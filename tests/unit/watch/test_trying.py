"""The journal's messages: when one is given up, held, and passed over, as in the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Self

from threegaps.settings import SHANGHAI
from threegaps.watch.journal import Journal, Posted
from threegaps.watch.message import ChannelError, Message, OnePlace, Taken
from threegaps.watch.told import Told
from threegaps.watch.trying import LEAST_TRIES, work_off

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
LATER = "the server is away"


@dataclass
class Duty(OnePlace):
    """A channel that fails as it is told."""

    name: str = "duty"
    fails: Callable[[Message], ChannelError | None] = lambda _: None
    tried: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.tried.append(message.message_id)
        if error := self.fails(message):
            raise error
        self.sent.append(message.message_id)


@dataclass
class Recipients:
    """A channel of several recipients, some of whom put everything off."""

    name: str = "duty"
    recipients: tuple[str, ...] = ("first", "second")
    puts_off: Collection[str] = ()
    sent: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def only(self, recipients: Collection[str]) -> Self:
        return replace(self, recipients=tuple(recipients))

    def send(self, message: Message) -> Taken:
        later = tuple(one for one in self.recipients if one in self.puts_off)
        self.sent.append((message.message_id, tuple(one for one in self.recipients if one not in later)))
        return Taken(later)


def post(change: str, *, of: str = "warehouse_down", at: dt.datetime = NOW) -> Posted:
    message = Message(f"{change}.{of}", None, change, "critical", "subject", "text")
    return Posted(message, "duty", of, NOW, at, at)


def go(book: Journal, channel: object, *at: dt.datetime, told: Told | None = None) -> None:
    for moment in at:
        work_off(book, {"duty": channel}, moment, told or Told(), noted=lambda _, __: None)  # type: ignore[dict-item]


def every(step: dt.timedelta, until: dt.timedelta, *, since: dt.datetime = NOW) -> list[dt.datetime]:
    return [since + number * step for number in range(int(until / step) + 1)]


def test_what_is_tried_in_vain_for_a_day_is_given_up_and_its_end_is_told_nobody() -> None:
    opened, closed = post("opened"), post("closed", at=NOW + HOUR)
    book, duty = Journal(posted=[opened, closed]), Duty(fails=lambda _: ChannelError(LATER))
    go(book, duty, *every(5 * MINUTE, 24 * HOUR))
    assert opened.tried.given_up_at is None
    go(book, duty, NOW + 24 * HOUR + 5 * MINUTE)
    assert (opened.tried.given_up_at is not None, opened.tried.last_error) == (True, LATER)
    duty.fails = lambda _: None
    book.posted.append(post("opened", of="disk_filling:home", at=NOW + 25 * HOUR))
    go(book, duty, *every(5 * MINUTE, HOUR, since=NOW + 25 * HOUR))
    assert duty.sent == ["opened.disk_filling:home"]


def test_what_has_no_channel_any_more_is_given_up_in_time() -> None:
    book = Journal(posted=[post("opened")])
    work_off(book, {}, NOW + 23 * HOUR, Told(), noted=lambda _, __: None)
    assert book.posted[0].tried.given_up_at is None
    work_off(book, {}, NOW + 25 * HOUR, Told(), noted=lambda _, __: None)
    assert "no channel of this name" in str(book.posted[0].tried.last_error)


def test_the_time_in_which_nobody_tried_gives_nothing_up() -> None:
    book, duty = Journal(posted=[post("opened")]), Duty(fails=lambda _: ChannelError(LATER))
    go(book, duty, *every(5 * MINUTE, HOUR))
    assert book.posted[0].tried.tries > LEAST_TRIES
    # No watch was at work for three days.
    go(book, duty, *every(5 * MINUTE, HOUR, since=NOW + 72 * HOUR))
    assert book.posted[0].tried.given_up_at is None
    go(book, duty, *every(5 * MINUTE, 24 * HOUR, since=NOW + 73 * HOUR))
    assert book.posted[0].tried.given_up_at is not None


def test_what_alone_is_refused_for_good_is_given_up_once_others_were_taken() -> None:
    refused, other = post("opened"), post("opened", of="disk_filling:home", at=NOW + HOUR)
    book = Journal(posted=[refused, other])
    duty = Duty(
        fails=lambda one: ChannelError("no", is_final=True, concerns="message") if "down" in one.message_id else None
    )
    go(book, duty, *every(5 * MINUTE, HOUR))
    assert refused.tried.given_up_at is None, "nobody can say that it is alone"
    go(book, duty, NOW + HOUR + MINUTE, NOW + HOUR + 2 * MINUTE)
    assert (refused.tried.given_up_at is not None, duty.sent) == (True, ["opened.disk_filling:home"])


def test_what_is_held_for_all_recipients_was_sent_to_nobody() -> None:
    opened, closed = post("opened"), post("closed")
    book, duty = Journal(posted=[opened]), Recipients(puts_off=("second",))
    go(book, duty, NOW)
    assert (opened.tried.sent_at is not None, opened.tried.rest) == (True, ("second",))
    # Only who put it off is a recipient still: he gets the end after the opening.
    book.posted.append(closed)
    told = Told()
    only = replace(duty, recipients=("second",))
    go(book, only, NOW + dt.timedelta(seconds=1), told=told)
    assert (closed.tried.sent_at, closed.tried.tries, told.get("closed.warehouse_down")) == (None, 0, None)
    only.puts_off = ()
    go(book, only, NOW + 5 * MINUTE, NOW + 10 * MINUTE, NOW + 15 * MINUTE)
    assert only.sent[-2:] == [("opened.warehouse_down", ("second",)), ("closed.warehouse_down", ("second",))]
    assert closed.tried.sent_at is not None


def test_who_puts_it_off_for_ever_is_left_in_time() -> None:
    book, duty = Journal(posted=[post("opened")]), Recipients(puts_off=("second",))
    go(book, duty, *every(5 * MINUTE, 25 * HOUR))
    tried = book.posted[0].tried
    assert (tried.rest, tried.retry_at) == ((), None)
    assert tried.last_error == "1 recipients put it off until it was given up."
