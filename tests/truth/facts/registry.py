"""Which function gives the rows of which core fact, and what it is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from sandbox import areas
from sandbox.feeds.model import Scene
from sandbox.truth.known import Known, known


class Sent:
    """What the departments of one sandbox sent and what was accepted of it.

    Args:
        scene: The departments.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @cached_property
    def stand(self) -> Known:
        """What stands on the opening day of the feeds that send versions."""
        return known(self.scene)

    @cached_property
    def persons(self) -> pl.DataFrame:
        """person, person_id, and what the document says."""
        number = len(self.scene.people.persons)
        ids = pl.Series([str(uuid.UUID(int=person + 1)) for person in range(number)])
        return pl.DataFrame({"person": pl.int_range(number, eager=True), "person_id": ids}).join(
            self.stand.documents, on="person", how="left"
        )

    def of_persons(self, rows: pl.DataFrame) -> pl.DataFrame:
        """*rows* with `person_id`, `birth_year` and `sex` of their `person`."""
        return rows.drop("birth_year", "sex", strict=False).join(self.persons, on="person", how="left")


Frames = pl.DataFrame | Iterable[pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Fact:
    """The rows of a table of `core`, in one frame or several."""

    table: str
    rows: Callable[[Sent], Frames]


_FACTS: dict[str, Fact] = {}


def fills(table: str) -> Callable[[Callable[[Sent], Frames]], Callable[[Sent], Frames]]:
    """Register a function as the one that gives the rows of *table*, by the names of its columns."""

    def register(function: Callable[[Sent], Frames]) -> Callable[[Sent], Frames]:
        if table in _FACTS:
            raise ValueError(f"{table} is filled twice")
        _FACTS[table] = Fact(table, function)
        return function

    return register


def facts() -> tuple[Fact, ...]:
    """Every fact that is filled."""
    return tuple(_FACTS[table] for table in sorted(_FACTS))


def code(column: str) -> pl.Expr:
    """The code of an area from its index; a negative one is none."""
    codes = pl.Series(areas.all_codes())
    return (
        pl.when(pl.col(column) >= 0)
        .then(pl.col(column))
        .map_batches(lambda index: codes.gather(index.cast(pl.Int64)), return_dtype=pl.String)
    )


def stated(column: str) -> pl.Expr:
    """Null where the department left it empty."""
    return pl.when(pl.col(column) != "").then(pl.col(column)).alias(column)
