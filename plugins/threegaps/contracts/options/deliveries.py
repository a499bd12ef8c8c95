"""What a delivery is, how it is known to be complete, and what its rows touch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, field_validator

from threegaps.contracts.options.base import Names, Option

DeliveryKind = Literal["full_list", "full_period", "changes"]


class ControlFile(Option):
    """Complete when the control file says so: how many parts, how many rows."""

    kind: Literal["control_file"]


class SingleFile(Option):
    """Complete when its file is there."""

    kind: Literal["file"]


class WholeWindow(Option):
    """Complete when its window of update times has been read whole."""

    kind: Literal["window"]


Completeness = Annotated[ControlFile | SingleFile | WholeWindow, Field(discriminator="kind")]


class Withdrawal(Option):
    """How a row says that an earlier one no longer holds."""

    column: str
    value: str


class Watermark(Option):
    """By what windows of changes are cut.

    Args:
        column: The column with the department's time of update.
        start: Where the first window begins, in Shanghai's wall-clock time.
        overlap_seconds: How far a window reaches back before the last one's end.
    """

    column: str
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$")]
    overlap_seconds: NonNegativeInt = 0


class DeliveryOptions(Option):
    """What a department hands over at once.

    Args:
        kind: Everything that there is, everything of a period, or what has changed.
        first_delivery: The key of the first one that is expected.
        version_column: The column by which of two versions of a row the later one is known.
        withdrawal: How a row is withdrawn.
        watermark: By what windows of changes are cut; of changes only.
        completeness: By what a delivery is known to be complete.
    """

    kind: DeliveryKind
    first_delivery: str
    version_column: str | None = None
    withdrawal: Withdrawal | None = None
    watermark: Watermark | None = None
    completeness: Completeness


class Touch(Option):
    """Which counties and periods an accepted row speaks of.

    Args:
        county_columns: Columns with county or area codes; each one that has a value is touched.
        from_columns: The first of these that has a value is the period's first day.
        to_columns: Likewise its last day; ``infinity`` stands for an open end, none of them for the first day.
    """

    county_columns: Names
    from_columns: Annotated[tuple[str, ...], Field(strict=False)]
    to_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @field_validator("from_columns")
    @classmethod
    def _has_a_beginning(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        if not written:
            raise ValueError("names no column: say by which date a row belongs to a period")
        return written
