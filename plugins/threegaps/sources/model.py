"""What every source offers, and how trouble on the way is told."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SourceUnavailableError
from threegaps.landing.store import Arrival

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a department offers of one delivery.

    Args:
        arrivals: The parts to land, in order.
        waiting_for: What is still missing before the parts are landed; None when nothing is.
    """

    arrivals: Sequence[Arrival]
    waiting_for: str | None = None


class FileSource(Protocol):
    """A source of files: deliveries are there or not."""

    def offer(self, delivery: Delivery) -> Offer: ...


class ChangeSource(Protocol):
    """A source of changes, read by half-open windows of update times (Shanghai wall clock)."""

    def window(self, updated_from: str, updated_to: str) -> Arrival: ...


FileSourceContext = AbstractContextManager[FileSource]
ChangeSourceContext = AbstractContextManager[ChangeSource]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and after what waits a request is repeated.

    Args:
        attempts: How often it is tried in all.
        base_seconds: The first wait; it doubles each time.
        longest_seconds: No wait is longer, not even one that the server asks for.
    """

    attempts: int = 5
    base_seconds: float = 1.0
    longest_seconds: float = 60.0

    def run(self, contract: Contract, action: Callable[[], Result]) -> Result:
        """Run *action*, again on `TransientError`, and give up with the last one's message."""
        for attempt in range(1, self.attempts + 1):
            try:
                return action()
            except TransientError as error:
                if attempt == self.attempts:
                    raise SourceUnavailableError(
                        f"{error.message} Tried {self.attempts} times.",
                        feed=contract.feed,
                        file=f"connection {contract.connection_id}",
                        advice="look whether the department's system is up; the task can simply be run again.",
                    ) from error
                wait = self.base_seconds * 2 ** (attempt - 1) if error.retry_after is None else error.retry_after
                wait = min(wait, self.longest_seconds)
                logger.warning("%s: %s Trying again in %.1f s.", contract.feed, error.message, wait)
                time.sleep(wait)
        raise AssertionError("a Retry has at least one attempt")


class TransientError(Exception):
    """Something that may pass: a time-out, a full server, half an answer."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


def unreachable(contract: Contract, reason: str) -> SourceUnavailableError:
    """The error for a system that does not answer."""
    return SourceUnavailableError(
        f"The department's system cannot be reached: {reason}",
        feed=contract.feed,
        file=f"connection {contract.connection_id}",
        advice="look whether it is up and the address of the connection is right; the task can simply be run again.",
    )


def refused_login(contract: Contract, reason: str) -> FeedError:
    """The error for a login that the system does not take."""
    return FeedError(
        f"The department's system does not accept our login: {reason}",
        feed=contract.feed,
        file=f"connection {contract.connection_id}",
        advice=f"check login and password or key of the connection {contract.connection_id!r}.",
    )


def month_key(delivery: Delivery) -> str:
    """The delivery's month as departments write it in names: 202506."""
    return f"{delivery.start:%Y%m}"


def filled(template: str, delivery: Delivery) -> str:
    """A name or pattern with ``{delivery}`` and ``{yyyymm}`` filled in."""
    return template.replace("{delivery}", delivery.key).replace("{yyyymm}", month_key(delivery))


def any_period(template: str) -> re.Pattern[str]:
    """The pattern of the same name in any period, to tell a file of a wrong one from a stray one."""
    return re.compile(template.replace("{delivery}", r"[0-9Q-]+").replace("{yyyymm}", r"\d{6}"))


def wrong_period(contract: Contract, file_name: str, delivery: Delivery) -> FeedError:
    """The error for a file of another period among a delivery's files."""
    return FeedError(
        f"The file is of another period than the delivery {delivery} that it lies in.",
        feed=contract.feed,
        file=file_name,
        advice="ask the department to move it to its own folder, or to name it right.",
    )
