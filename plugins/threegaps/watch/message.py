"""A message to people, and what a channel is that takes it to them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self

from threegaps.errors import ThreeGapsError
from threegaps.standards.visible import one_line, visible

Gravity = Literal["notice", "warning", "critical"]

UNCLEAR_TRIES = 2
"""A message that may have been taken so often counts as sent: each further try may be one more copy."""
UNCLEAR_PAUSE_SECONDS = 900.0
"""The pause after a try of which nobody can say whether it was taken."""
REFUSED_PAUSE_SECONDS = 300.0
"""The pause after a refusal that does not heal by itself: somebody has to mend the channel meanwhile."""
LONGEST_ASKED_SECONDS = 3600.0
"""The longest pause that another side may ask for."""
SYNTHETIC_MARK = "[合成数据 synthetic] "
"""How the subject of each message begins where the departments are the sandbox's."""
_DOMAIN = "threegaps"
"""The right side of a message's id. Ids are made of a cause and an instant; the sender's domain may change."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told at one change of an incident, or once a day, through one channel.

    Nothing in it comes from what departments send: no name, value or secret.

    Args:
        message_id: Fixed when the message is made, different for each channel: what is sent twice has the same one.
            Without the angle brackets that a mail's header has.
        incident_id: The incident's number in the ledger; None for a digest, and while the warehouse is down.
        change: What happened: ``opened``, ``worsened``, ``closed``, ``digest`` or ``test``.
        gravity: ``notice``, ``warning`` or ``critical``.
        subject: One line, Chinese and English.
        text: Plain text in lines, Chinese first, English after.
        content: The same as data, as JSON can say it; ``reply_to`` is the id of the message that opened the thread.
    """

    message_id: str
    incident_id: int | None
    change: str
    gravity: str
    subject: str
    text: str
    content: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Leave nothing in it that acts where it is read: a reason that somebody gave may hold anything."""
        object.__setattr__(self, "subject", one_line(self.subject))
        object.__setattr__(self, "text", visible(self.text))

    @property
    def reply_to(self) -> str | None:
        """The id of the message that this one follows in the same channel; None for one that opens a thread."""
        found = self.content.get("reply_to")
        return str(found) if found and found != self.message_id else None


@dataclass(frozen=True, slots=True)
class Taken:
    """How a channel has taken a message.

    Args:
        rest: Those of several recipients who are to get it later.
        remark: What is to be said although it was taken.
    """

    rest: tuple[str, ...] = ()
    remark: str = ""


class Channel(Protocol):
    """A way to people. Its address and secrets are its own affair."""

    @property
    def name(self) -> str:
        """Under which name alerts.yaml has it, and the outbox."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those of whom some may get a message later than others; none where it goes to one place."""

    def only(self, recipients: Collection[str]) -> Channel:
        """The same channel to these of its recipients."""

    def send(self, message: Message) -> Taken | None:
        """Hand *message* over; returning says that the other side has taken it.

        Raises:
            ChannelError: It has not been taken, as far as can be known.
        """


class OnePlace:
    """What a channel is without recipients of its own: what it is given goes to one place."""

    __slots__ = ()
    recipients: ClassVar[tuple[str, ...]] = ()

    def only(self, _: Collection[str]) -> Self:
        """See `Channel.only`."""
        return self


Concerns = Literal["channel", "message", "either"]
"""What a failure is of: the channel (nothing goes through it now), this message alone, or nobody can say which."""


class ChannelError(ThreeGapsError):
    """A channel has not taken a message.

    Args:
        message: What is wrong, in our words and with code numbers only: nothing of an answer's text.
        retry_after_seconds: The least pause that the other side asks for; None where it says nothing.
        is_final: It does not heal by itself: the address, the login or the token is refused, or the message.
        is_unclear: It was handed over whole, and no answer came: it may have been taken.
        concerns: Whether the next message would fare alike.
    """

    def __init__(
        self,
        message: str,
        retry_after_seconds: float | None = None,
        is_final: bool = False,
        is_unclear: bool = False,
        concerns: Concerns = "either",
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.is_final = is_final
        self.is_unclear = is_unclear
        # Whoever asks for a pause asks it of all messages.
        self.concerns: Concerns = concerns if retry_after_seconds is None else "channel"

    def pause_seconds(self, usual_seconds: float) -> float:
        """How long to wait before the next try, *usual_seconds* where nothing asks for another pause."""
        pause = usual_seconds
        if self.is_final:
            pause = REFUSED_PAUSE_SECONDS
        elif self.is_unclear:
            pause = UNCLEAR_PAUSE_SECONDS
        return min(max(pause, self.retry_after_seconds or 0.0), LONGEST_ASKED_SECONDS)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.retry_after_seconds, self.is_final, self.is_unclear, self.concerns))


def incident_message_id(cause_key: str, opened_at: dt.datetime, change: str, channel: str, number: int = 1) -> str:
    """The id of the message on one change of an incident, the same from the ledger and from the local journal.

    Args:
        cause_key: The incident's.
        opened_at: When it opened; an instant with its zone.
        change: As in `Message`.
        channel: Name of the channel.
        number: Which one of several changes of this kind.
    """
    instant = opened_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    digest = hashlib.sha256(f"{cause_key}\n{instant}".encode()).hexdigest()[:24]
    which = change if number == 1 else f"{change}{number}"
    return f"incident-{digest}.{which}.{_atom(channel)}@{_DOMAIN}"


def digest_message_id(day: dt.date, channel: str, number: int = 1) -> str:
    """The id of the daily digest of *day* in *channel*; the second one, where the first went out before its day."""
    which = day.isoformat() if number == 1 else f"{day.isoformat()}-{number}"
    return f"digest-{which}.{_atom(channel)}@{_DOMAIN}"


def _atom(channel: str) -> str:
    """*channel* as it may stand in an id; names of channels are such already (`alerts`)."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", channel)
