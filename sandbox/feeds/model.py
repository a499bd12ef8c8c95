"""What a feed's module says of itself: how the department is reached, and the rows that it has.

The generator, the servers and the loader of the databases read nothing else: none of them knows a feed by name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from sandbox.feeds.paging import Paging
from sandbox.parameters import Parameters
from sandbox.population import Population
from sandbox.writers.workbook import Sheet

Frame = pl.DataFrame
DIRT_STREAM = 99


@dataclass(frozen=True, slots=True)
class UpdateWindow:
    """A reader asks for what changed in [`first`, `last`), names of the two parameters; `column` is compared."""

    first: str
    last: str
    column: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of the HTTP gateway.

    Args:
        name: Its registered name; interfaces are called `<name>.<interface>`.
        fields: Canonical column to the name in the answer.
        order: Names in the answer by which rows are sorted.
        paging: Its paging convention.
        page_interface, total_interface: Names of the interfaces; a data set need not tell its total.
        records: Name of the list of rows in the answer.
        window: Where only changes are asked for; None = the full list.
    """

    name: str
    fields: dict[str, str]
    order: tuple[str, ...]
    paging: Paging
    page_interface: str
    total_interface: str = ""
    records: str = "rows"
    window: UpdateWindow | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the department's PostgreSQL database.

    Args:
        name: The table, in schema public.
        comment: Said of it in the database.
        fields: Canonical column to the table's column.
        moment: The table's column that is a timestamp (update time); all others are text.
    """

    name: str
    comment: str
    fields: dict[str, str]
    moment: str


@dataclass(frozen=True, slots=True)
class Sftp:
    """Files below the root of the SFTP server."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Files in the department's drop folder."""


Medium = DataSet | Table | Sftp | Drop


@dataclass(frozen=True, slots=True)
class Versions:
    """Rows of a data set or table, each as the department held it for a while.

    `rows` has the medium's canonical columns, `_from` and `_until` (Shanghai wall clock as text; `_until` empty for
    what still stands), `_kind`, `_rules` and `_is_double` of the dirt, and `_key`, by which a row is known in the
    truth.
    """

    rows: Frame


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A consignment that is to come: when all goes well on `day`. `part` tells those of one delivery apart."""

    day: date
    delivery: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a consignment.

    Args:
        path: Below the medium's root.
        write: Writes it and returns its data rows with `_row`, their number as a reader counts; None when it holds
            no rows (a control file).
        key: By which a row is known in the truth.
    """

    path: str
    write: Callable[[Path], Frame | None]
    key: pl.Expr = field(default_factory=lambda: pl.lit(""))


@dataclass(frozen=True, slots=True)
class Consignment:
    """What a department hands over at once: the rows (with the columns of the dirt) and the files made of them.

    Args:
        due: Which one it is.
        rows: The rows in their order.
        files: Makes the files; the last one is written last.
    """

    due: Due
    rows: Frame
    files: Callable[[Frame], list[File]]


@dataclass(frozen=True, slots=True)
class Page:
    """What a feed has in a workbook that holds other feeds' sheets besides.

    Args:
        due: Which workbook.
        rows: The rows in their order, with the columns of the dirt and `_key`, by which a row is known in the truth.
        sheets: Makes its sheets of the rows.
    """

    due: Due
    rows: Frame
    sheets: Callable[[Frame], list[Sheet]]


@dataclass(slots=True)
class Scene:
    """What a feed is made from.

    Args:
        people: The population.
        parameters: Of the whole sandbox.
        horizon: Last day for which anything is made.
        truth_folder: Where what was accepted month by month is kept for the truth.
        accepted: What remains of a feed after its refused rows, by the feed's name.
        submitted: What was sent of each feed at first, a frame a consignment; see `sandbox.submissions`.
    """

    people: Population
    parameters: Parameters
    horizon: date
    truth_folder: Path
    accepted: dict[str, Frame] = field(default_factory=dict)
    submitted: list[Frame] = field(default_factory=list)

    def stream(self, feed: str, *numbers: int) -> np.random.Generator:
        """A generator of the feed's own: what another feed draws leaves it as it was."""
        return np.random.default_rng([self.parameters.seed, DIRT_STREAM, zlib.crc32(feed.encode()), *numbers])


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed of a department.

    Args:
        name: `<department>/<feed>`.
        medium: How the department is reached.
        make: What it sends; its pages where it is sent in a workbook with other feeds.
        dues: For files: the consignments that `make` gives for the time up to a day.
        workbook: The beginning of the name of the workbook that holds its sheets and those of other feeds, which come
            at the same times; the delivery follows. Empty for a feed that is sent alone.
    """

    name: str
    medium: Medium
    make: Callable[[Scene], Iterator[Versions | Consignment | Page]]
    dues: Callable[[date], list[Due]] = lambda last: []
    workbook: str = ""

    @property
    def department(self) -> str:
        """The department's part of the name."""
        return self.name.split("/")[0]

    @property
    def sent_as(self) -> str:
        """What it is sent as: one for all feeds of a workbook."""
        return f"{self.department}/{self.workbook}" if self.workbook else self.name
