"""How a cell says that it is hidden: in a row of its own, and in a column of a wide relation."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from threegaps.marts.manifest import ServedColumn

FIGURES = (
    "numerator", "denominator", "value", "target_progress", "due_progress", "change_on_year", "change_unit",
    "area_rank", "rounding",
)  # fmt: skip
"""Columns of a row of one cell that say its figures, or that it had any, in whatever relation."""
CELL_KEY = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")


def blanked_row(columns: Iterable[str]) -> list[sql.Composable]:
    """What is set in a row of one cell that has *columns* so that it says no figure; empty when it says none.

    That a target stands is no figure, so what is judged by one becomes ``not_judged``.
    """
    names = list(columns)
    settings: list[sql.Composable] = [
        sql.SQL("{} = null").format(sql.Identifier(name)) for name in FIGURES if name in names
    ]
    if "value_status" in names:
        settings.append(sql.SQL("value_status = 'suppressed'"))
    if "status" in names:
        settings.append(sql.SQL("status = case when status = 'no_target' then status else 'not_judged' end"))
    return settings


def blanked_column(column: ServedColumn) -> sql.Composed:
    """What is set in a wide relation so that the column of a cell says no figure."""
    said = sql.SQL("'suppressed'" if column.is_status else "null")
    return sql.SQL("{} = {}").format(sql.Identifier(column.name), said)
