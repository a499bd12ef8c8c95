"""What a delivery is, how it is known to be complete, and what its rows touch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Names, Option, Text

DeliveryKind = Literal["full_list", "full_period", "changes"]
DueOnDayOff = Literal["next_working_day", "same_day"]


QuietSeconds = Annotated[int, Field(ge=1, le=3600)]
"""How long a file must have been left alone before it is taken: nobody is still writing it."""


class ControlFile(Option):
    """Complete when the control file says so: how many parts, how many rows.

    Args:
        quiet_seconds: How long each of its files, the control file among them, must have been left alone.
    """

    kind: Literal["control_file"]
    quiet_seconds: QuietSeconds = 60


class SingleFile(Option):
    """Complete when its one file is there and has been left alone for a while.

    Args:
        quiet_seconds: For how long.
    """

    kind: Literal["file"]
    quiet_seconds: QuietSeconds = 60


class QuietFiles(Option):
    """Complete when all its files are there, each left alone for a while; no control file says so.

    Args:
        quiet_seconds: For how long.
        parts: The names that the group ``part`` of the file names must have, where each is known.
        part_count: How many files there must be, where only that is known; their group ``part`` is a number from 1.
    """

    kind: Literal["quiet"]
    quiet_seconds: QuietSeconds = 60
    parts: Names | None = None
    part_count: PositiveInt | None = None

    @model_validator(mode="after")
    def _says_what_belongs_to_it(self) -> Self:
        if (self.parts is None) == (self.part_count is None):
            raise ValueError("says either `parts` (their names) or `partCount`")
        if self.parts is not None and len({_part_form(part) for part in self.parts}) < len(self.parts):
            raise ValueError("two of its parts have one name")
        return self


def _part_form(part: str) -> str:
    """What a part's name is known by: its number, or its letters of whatever case."""
    return str(int(part)) if part.isascii() and part.isdigit() else part.casefold()


class WholeWindow(Option):
    """Complete when its window of update times has been read whole."""

    kind: Literal["window"]


class WholeRead(Option):
    """Complete when the whole list, or the whole table, has been read as it stood at one moment."""

    kind: Literal["whole_read"]


Completeness = Annotated[ControlFile | SingleFile | QuietFiles | WholeWindow | WholeRead, Field(discriminator="kind")]


class Withdrawal(Option):
    """How a row says that an earlier one no longer holds."""

    column: Text
    value: Text


class Watermark(Option):
    """By what windows of changes are cut.

    Args:
        column: The column with the department's time of update.
        start: Where the first window begins, in Shanghai's wall-clock time. Moved back, the next one begins there anew.
        overlap_seconds: How far a window reaches back before the last one's end.
    """

    column: str
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$")]
    overlap_seconds: NonNegativeInt = 0

    @field_validator("start")
    @classmethod
    def _is_a_time(cls, written: str) -> str:
        try:
            dt.datetime.fromisoformat(written)
        except ValueError as error:
            raise ValueError(f"is no time: {error}") from None
        return written


class Shrinkage(Option):
    """When a whole delivery that is complete stops for having lost rows: it would close what it lacks.

    Args:
        least_share: It stops when it has a smaller share than this of the rows that stand of it.
        from_rows: Of fewer rows than this it stops only when none is left.
    """

    least_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    from_rows: NonNegativeInt = 10


class DeliveryOptions(Option):
    """What a department hands over at once.

    Args:
        kind: Everything that there is, everything of a period, or what has changed.
        first_delivery: The key of the first one that is expected.
        covers_from: The first day that the deliveries tell of, where full lists keep what has ended, with its dates; by
            default that of the first delivery.
        version_column: The column by which of two versions of a row the later one is known.
        withdrawal: How a row is withdrawn.
        watermark: By what windows of changes are cut; of changes only.
        completeness: By what a delivery is known to be complete.
        shrinkage: When a full delivery stops for having lost rows.
        due_on_day_off: What becomes of a due day on which offices are closed (weekends; holidays by the State Council's
            yearly notices). By default what a department expects of a date that people keep: deliveries of a month or
            longer are due on the next working day at the same time, as a period ends by the Civil Code, article 203;
            those of a day, which machines make on every day, on the day itself.
        grace_minutes: How long after the cron's moment a delivery still counts as in time: the fetch itself only begins
            on it, and waits for files that are still being written.
        owed_by_county: The column with the county, where each county in force owes its own part of each delivery:
            which of them have come is then counted county by county.
    """

    kind: DeliveryKind
    first_delivery: str
    covers_from: dt.date | None = None
    version_column: str | None = None
    withdrawal: Withdrawal | None = None
    watermark: Watermark | None = None
    completeness: Completeness
    shrinkage: Shrinkage = Shrinkage()
    due_on_day_off: DueOnDayOff | None = None
    grace_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 240
    owed_by_county: Text | None = None


NO_END = "infinity"
"""Stands among the columns for a period's end where it has none."""


class Touch(Option):
    """Which counties and periods an accepted row speaks of.

    Args:
        county_columns: Columns with county or area codes; each is touched: as 省外 where it is of another province, as
            不详 where it is missing beside another one. None where rows have no county: what they touch may be
            anywhere.
        from_columns: The first of these that has a value is the period's first day.
        to_columns: Likewise its last day; ``infinity`` stands for an open end, none of them for the first day.
    """

    county_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()
    from_columns: Annotated[tuple[str, ...], Field(strict=False)]
    to_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @field_validator("from_columns")
    @classmethod
    def _has_a_beginning(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        if not written:
            raise ValueError("names no column: say by which date a row belongs to a period")
        if NO_END in written:
            raise ValueError(f"a period does not begin at {NO_END}: that is for toColumns")
        return written

    @field_validator("to_columns")
    @classmethod
    def _ends_openly_at_last(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        if NO_END in written[:-1]:
            raise ValueError(f"what stands behind {NO_END} is never read: name it last")
        return written
