"""What a feed's table must hold after any sequence of arrivals and loads: the rules as one reads them, in plain Python.

Nothing of the package is used here but how a control file and a withdrawal are written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["full_period", "full_list", "changes"]
Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One row as it is sent; a number that is no number is refused."""

    key: str
    month: str
    number: str
    version: int = 0
    withdraws: bool = False


@dataclass(frozen=True)
class Said:
    """A row that was accepted: who says it, and in which version."""

    row: Row
    landed: int
    row_number: int

    @property
    def version(self) -> tuple[int, int, int]:
        return self.row.version, self.landed, self.row_number


@dataclass(frozen=True)
class Arrival:
    """A landed object: rows of an original part, a correction or a repair; or a control file, or an acceptance."""

    landed: int
    delivery: str
    part: str
    rows: tuple[Row, ...] = ()
    control: tuple[int, int] | None = None
    accepts: frozenset[int] = frozenset()

    @property
    def is_original(self) -> bool:
        return self.part.startswith("part") or self.part in {"file", "window"}

    @property
    def is_correction(self) -> bool:
        return self.part.startswith("correction")

    @property
    def is_replay(self) -> bool:
        return self.part.startswith("replay")


@dataclass
class Batch:
    """A judgement that was loaded."""

    delivery: str
    objects: tuple[Arrival, ...]
    is_whole: bool
    is_complete: bool
    said: tuple[Said, ...]

    @property
    def rank(self) -> tuple[str, int]:
        own = [one for one in self.objects if not ((self.is_whole and one.is_correction) or one.accepts)]
        return self.delivery, max(one.landed for one in own)


class Stopped(Exception):  # noqa: N818
    """A delivery would close most of what stands of it."""

    def __init__(self, objects: tuple[Arrival, ...]) -> None:
        super().__init__()
        self.numbers = frozenset(one.landed for one in objects if one.is_original or one.control)


@dataclass
class Model:
    """One feed; deliveries' names sort by time."""

    kind: Kind
    least_share: float
    from_rows: int
    arrivals: list[Arrival] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def land(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    def load(self) -> None:
        """Load what is due in the order of arrival; what stops lets only its own delivery go on."""
        deliveries = {one.delivery for one in self.arrivals if one.control is None}
        due = [(delivery, *sending) for delivery in deliveries for sending in self._due(delivery)]
        due.sort(key=lambda sending: max(one.landed for one in sending[1] if not one.accepts))
        stop: tuple[str, Stopped] | None = None
        for delivery, objects, is_whole in due:
            if stop is None or stop[0] == delivery:
                try:
                    self.batches.append(self._judge(delivery, objects, is_whole=is_whole))
                except Stopped as stopped:
                    stop = delivery, stopped
        if stop is not None:
            raise stop[1]

    def standing(self) -> dict[Key, str]:
        """Open rows: what they say, by key and month (of lists and changes by key alone)."""
        return {self._key(one.row): one.row.number for one in self._winners() if not one.row.withdraws}

    def _key(self, row: Row) -> Key:
        return row.key, row.month if self.kind == "full_period" else ""

    def _latest(self, delivery: str) -> dict[str, Arrival]:
        return {one.part: one for one in self.arrivals if one.delivery == delivery}

    def _due(self, delivery: str) -> Iterator[tuple[tuple[Arrival, ...], bool]]:
        latest = self._latest(delivery)
        loaded = {one.landed for batch in self.batches for one in batch.objects}
        new = [one for one in latest.values() if one.landed not in loaded]
        corrections = [one for one in new if one.is_correction]
        if self.kind == "changes":
            if windows := [one for one in new if one.is_original]:
                yield tuple(windows), False
        else:
            control = latest.get("control")
            most = control.control[0] if control and control.control else 99
            parts = (
                [one for one in latest.values() if one.is_original and int(one.part[4:] or 0) <= most]
                if (self.kind == "full_period")
                else [one for one in latest.values() if one.is_original]
            )
            whole = [*parts, *([control] if control else [])]
            numbers = frozenset(one.landed for one in whole)
            before = [batch for batch in self.batches if batch.is_whole and batch.delivery == delivery]
            last = max(before, key=lambda batch: batch.rank, default=None)
            held = last and frozenset(one.landed for one in last.objects if one.is_original or one.control)
            yield from (((one,), False) for one in corrections)
            if parts and numbers != held:
                accepting = [one for one in latest.values() if one.accepts == numbers]
                yield tuple(sorted([*whole, *accepting], key=lambda one: one.landed)), True
        yield from (((one,), False) for one in sorted(new, key=lambda one: one.landed) if one.is_replay)

    def _judge(self, delivery: str, objects: tuple[Arrival, ...], *, is_whole: bool) -> Batch:
        originals = [one for one in objects if one.is_original]
        control = next((one.control for one in objects if one.control), None)
        received = sum(len(one.rows) for one in originals)
        is_complete = self.kind != "full_period" or control == (len(originals), received)
        batch = Batch(delivery, objects, is_whole, is_complete, tuple(self._settled(objects)))
        if is_whole and is_complete and not any(one.accepts for one in objects):
            self._stop_if_shrunk(batch)
        return batch

    def _stop_if_shrunk(self, batch: Batch) -> None:
        replaced = [
            one
            for one in self.batches
            if (self.kind == "full_list" or one.delivery == batch.delivery) and one.rank < batch.rank
        ]
        if any(one.rank > batch.rank for one in self._whole_of(batch.delivery)):
            return
        lost = {said for one in replaced for said in one.said if self.kind == "full_list" or not self._corrects(said)}
        before = [said for said in self._winners() if said in lost and not said.row.withdraws]
        originals = tuple(one for one in batch.objects if one.is_original)
        now = [said for said in self._settled(originals) if not said.row.withdraws]
        is_small = len(before) >= self.from_rows and len(now) < len(before) * self.least_share
        if before and (not now or is_small):
            raise Stopped(batch.objects)

    def _settled(self, objects: Iterable[Arrival]) -> Iterator[Said]:
        """One row a key: contradictions within a sending fall away, then the highest version stays."""
        stated: dict[Key, dict[tuple[int, int], list[Said]]] = defaultdict(lambda: defaultdict(list))
        for one in objects:
            for number, row in enumerate(one.rows, 1):
                if row.number.isdigit():
                    sending = 0 if one.is_original and self.kind != "changes" else one.landed
                    stated[self._key(row)][sending, row.version].append(Said(row, one.landed, number))
        for sendings in stated.values():
            agreed = [said[0] for said in sendings.values() if len({one.row for one in said}) == 1]
            if agreed:
                yield max(agreed, key=lambda one: one.version)

    def _winners(self) -> Iterator[Said]:
        best: dict[Key, Said] = {}
        for batch in self.batches:
            last = max((one.rank for one in self._whole_of(batch.delivery)), default=None)
            is_replaced = last is not None and batch.rank < last
            for said in batch.said:
                if is_replaced and not (self.kind == "full_period" and self._corrects(said)):
                    continue
                key = self._key(said.row)
                if key not in best or self._order(said) > self._order(best[key]):
                    best[key] = said
        yield from best.values()

    def _order(self, said: Said) -> tuple[object, ...]:
        delivery = next(one.delivery for one in self.arrivals if one.landed == said.landed)
        return (delivery if self.kind == "full_list" else "", *said.version)

    def _whole_of(self, delivery: str) -> list[Batch]:
        """Complete whole deliveries that replace rows of this one."""
        if self.kind == "changes":
            return []
        return [
            one
            for one in self.batches
            if one.is_whole and one.is_complete and (self.kind == "full_list" or one.delivery == delivery)
        ]

    def _corrects(self, said: Said) -> bool:
        return next(one.is_correction for one in self.arrivals if one.landed == said.landed)
