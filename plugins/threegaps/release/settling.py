"""Whether figures that were called final have stayed: the declared lag against what the releases have seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg

LARGEST_REVISION_PERCENT = 0.5
"""Relative mean absolute revision of final figures above which the declared lag was too short: 99.5 % were there."""
FEWEST_FIGURES = 3


class Unsettled(NamedTuple):
    """An indicator whose final figures of the province were revised too far; the revision is in per cent."""

    indicator_code: str
    period_type: str
    figures: int
    revision_percent: float


def unsettled(connection: psycopg.Connection[Any], *, fewest_figures: int = FEWEST_FIGURES) -> list[Unsettled]:
    """Indicators whose ``matures_after_months`` is too short for what has come since, by the province's totals.

    Empty where nothing has been released yet.

    Args:
        connection: The warehouse.
        fewest_figures: On fewer final figures than this a rate says nothing.
    """
    known = connection.execute("select to_regclass('marts.indicator_revision_rate') is not null").fetchone()
    if known is None or not known[0]:
        return []
    rows = connection.execute(
        "select indicator_code, period_type, figures, relative_mean_absolute_revision::float8"
        " from marts.indicator_revision_rate where area_level = 'province' and breakdown = 'total'"
        " and figures >= %s and relative_mean_absolute_revision > %s order by 1, 2",
        [fewest_figures, LARGEST_REVISION_PERCENT],
    ).fetchall()
    return [Unsettled(str(row[0]), str(row[1]), int(row[2]), float(row[3])) for row in rows]
