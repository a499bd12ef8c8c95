"""What every source offers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from threegaps.calendar import Delivery
from threegaps.landing.store import Arrival


@dataclass(frozen=True, slots=True)
class Offer:
    """What a department offers of one delivery.

    Args:
        arrivals: The parts to land, in order.
        waiting_for: What is still missing before the delivery is whole; None when nothing is.
        settles_in: In how many seconds files of it that may still be being written can be taken if they are left alone;
            None when there are none.
    """

    arrivals: Sequence[Arrival]
    waiting_for: str | None = None
    settles_in: float | None = None


class FileSource(Protocol):
    """A source of files: deliveries are there or not."""

    def offer(self, delivery: Delivery) -> Offer: ...

    def look_again(self) -> None:
        """Forget what folders held, so that the next offer looks into them."""


class InquirySource(Protocol):
    """A source that is asked: for windows of update times (half-open, Shanghai wall clock), or for all that it has."""

    def window(self, updated_from: str, updated_to: str) -> Sequence[Arrival]: ...

    def everything(self) -> Sequence[Arrival]: ...


FileSourceContext = AbstractContextManager[FileSource]
InquirySourceContext = AbstractContextManager[InquirySource]
