"""What becomes of the consignments that are due after the opening day: the dice of the departments, by the seed.

Each month one comes late, one is spoilt on its way and sent again, one comes incomplete and is sent again corrected; of
those of the first months one never comes. Everything before the opening day has come as it should.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

import numpy as np

from sandbox.calendar import OPENING_DAY
from sandbox.feeds.model import Due, Feed

Kind = Literal["on time", "late", "spoilt", "corrected", "never"]
TROUBLES: tuple[Kind, ...] = ("late", "spoilt", "corrected")
FATE_STREAM = 97
SHORTEST_DAYS, LONGEST_DAYS = 2, 9
NEVER_WITHIN_DAYS = 100


@dataclass(frozen=True, slots=True)
class Fate:
    """How a consignment fares.

    Args:
        kind: `spoilt`: its first file breaks off; `corrected`: some of its rows are missing; both come right later.
        first: The day on which it comes first; None for what never comes.
        again: The day on which it comes right, where it first came wrong.
    """

    kind: Kind
    first: date | None
    again: date | None = None


def plan(feeds: Iterable[Feed], seed: int, horizon: date) -> dict[tuple[str, Due], Fate]:
    """The fate of every consignment up to the horizon, by feed and due; feeds of one workbook share theirs."""
    known = list(feeds)
    first_of = {feed.sent_as: feed.name for feed in reversed(known)}
    thrown = [feed for feed in known if feed.name == first_of[feed.sent_as]]
    every = sorted((due.day, feed.name, due) for feed in thrown for due in feed.dues(horizon))
    fates = {(feed, due): Fate("on time", day) for day, feed, due in every}
    to_come = [(feed, due) for day, feed, due in every if day > OPENING_DAY]
    rng = np.random.default_rng([seed, FATE_STREAM])
    for (year, month), due_then in groupby(to_come, lambda planned: (planned[1].day.year, planned[1].day.month)):
        group = list(due_then)
        order = np.random.default_rng([seed, FATE_STREAM, year, month]).permutation(len(group))
        for kind, place in zip(TROUBLES, order, strict=False):
            feed, due = group[place]
            fates[feed, due] = _troubled(kind, feed, due, seed)
    soon = OPENING_DAY + timedelta(days=NEVER_WITHIN_DAYS)
    on_time = [planned for planned in to_come if fates[planned].kind == "on time" and planned[1].day <= soon]
    if on_time:
        fates[on_time[int(rng.integers(len(on_time)))]] = Fate("never", None)
    return {(feed.name, due): fates[first_of[feed.sent_as], due] for feed in known for due in feed.dues(horizon)}


def _troubled(kind: Kind, feed: str, due: Due, seed: int) -> Fate:
    token = zlib.crc32(f"{feed} {due.delivery} {due.part}".encode())
    days = int(np.random.default_rng([seed, FATE_STREAM, token]).integers(SHORTEST_DAYS, LONGEST_DAYS + 1))
    later = due.day + timedelta(days=days)
    return Fate(kind, later) if kind == "late" else Fate(kind, due.day, later)
