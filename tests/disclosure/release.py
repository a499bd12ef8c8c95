"""What one release holds: the exact cells and those that readers see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import polars as pl
import psycopg

PROVINCE = "330000"
KEY = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")
SIDES = ("numerator", "denominator", "comparison_numerator", "comparison_denominator")
_KEY_TYPES = {name: pl.Date() if name == "period_end" else pl.String() for name in KEY}
_SIDE_TYPES = {name: pl.Int64() for name in SIDES}
EXACT: dict[str, pl.DataType] = {**_KEY_TYPES, **_SIDE_TYPES}
SHOWN: dict[str, pl.DataType] = {
    **EXACT, "area_level": pl.String(), "is_exact": pl.Boolean(), "is_suppressed": pl.Boolean()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """The exact cells of one release and those that were shown.

    Args:
        exact: In the columns of `EXACT`.
        shown: In the columns of `SHOWN`.
    """

    exact: pl.DataFrame
    shown: pl.DataFrame

    @classmethod
    def of(cls, exact: Iterable[Mapping[str, Any]], shown: Iterable[Mapping[str, Any]]) -> Release:
        """A release of single cells; what a cell has beside the columns is left out."""
        return cls(
            pl.DataFrame([{name: cell[name] for name in EXACT} for cell in exact], schema=EXACT),
            pl.DataFrame([{name: cell[name] for name in SHOWN} for cell in shown], schema=SHOWN),
        )


def read_release(connection: psycopg.Connection[Any], schema: str = "build", only: str = "true") -> Release:
    """The release that stands in *schema*.

    Args:
        connection: To the warehouse.
        schema: Where the cells stand.
        only: A condition in SQL: the cells that are wanted.
    """
    return Release(
        _read(connection, f"{schema}.indicator_measured where {only}", EXACT),
        _read(connection, f"{schema}.indicator_shown where {only}", SHOWN),
    )


def _read(connection: psycopg.Connection[Any], relation: str, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    wanted = ", ".join(f"trunc({name})::bigint as {name}" if name in SIDES else name for name in columns)
    content = BytesIO()
    with connection.cursor().copy(f"copy (select {wanted} from {relation}) to stdout (format csv)".encode()) as copy:
        for piece in copy:
            content.write(piece)
    content.seek(0)
    types = {name: pl.String() if isinstance(kind, pl.Boolean) else kind for name, kind in columns.items()}
    if not content.getbuffer().nbytes:
        return pl.DataFrame(schema=columns)
    frame = pl.read_csv(content, has_header=False, schema=types)
    return frame.with_columns(pl.col(name) == "t" for name, kind in columns.items() if isinstance(kind, pl.Boolean))
