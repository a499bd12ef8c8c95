"""Measure 18, skill competitions."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.hrss.competition_results import KINDS
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import LABEL, Known
from sandbox.truth.periods import Period, days, periods
from sandbox.truth.registry import computes
from sandbox.truth.stocks import employed_where, per_ten_thousand

RESULTS = dict(zip(KINDS.tolist(), ("teaching_standard", "training_method", "training_site"), strict=True))
LEVELS = ("01", "02", "03", "04", "unstated")


def _entries(known: Known) -> pl.DataFrame:
    """Entries by the entrant's place, else the host's, else nobody's; with the level of the competition."""
    held = known.accepted["hrss/competitions"].select("host", "level", competition="entry")
    unknown = areas.all_codes().index(areas.UNKNOWN)
    return (
        known.accepted["hrss/competition_entrants"]
        .join(held, on="competition", how="left")
        .with_columns(
            county=pl.coalesce("county", "host", unknown).cast(pl.Int64), level=pl.col("level").fill_null("unstated")
        )
    )


@computes("M18-1")
def entries_per_employed(cells: Cells, known: Known) -> None:
    """Entries of the year per ten thousand registered employed at its end."""
    entries = _entries(known)
    for period in periods("year"):
        rows = entries.filter(pl.col("entered").dt.date().is_between(period.start, period.end))
        spread = rows.join(members(period.end), on="county")
        employed = employed_where(known, period, spread)
        for breakdown, part in [
            (("total", "total"), spread),
            *((("entry_level", level), spread.filter(pl.col("level") == level)) for level in LEVELS),
        ]:
            counted = part.group_by("area_code").agg(numerator=pl.len())
            cells.add("M18-1", period, per_ten_thousand(employed, counted), breakdown=breakdown)


@computes("M18-2")
def certified_by_contest(cells: Cells, known: Known) -> None:
    """Entrants whose certificate of the contest is their own and was not annulled."""
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    certificates = known.certificates.filter(~annulled).select("person", "certificate_number", "rank")
    gained = _entries(known).join(certificates, on=["person", "certificate_number"])
    for period in periods("year"):
        rows = gained.filter(pl.col("entered").dt.date().is_between(period.start, period.end))
        persons = rows.join(members(period.end), on="county").group_by("area_code", "person").agg(pl.col("rank").max())
        _persons("M18-2", cells, period, persons, ("total", "total"))
        for rank, level in LABEL.items():
            part = persons.filter(pl.col("rank") == rank)
            _persons("M18-2", cells, period, part, ("skill_level", level))
        _persons("M18-2", cells, period, persons.filter(pl.col("rank").is_null()), ("skill_level", "special_only"))


def _persons(code: str, cells: Cells, period: Period, persons: pl.DataFrame, breakdown: tuple[str, str]) -> None:
    frame = persons.group_by("area_code").agg(numerator=pl.len(), n_persons=pl.len())
    cells.add(code, period, frame.with_columns(denominator=pl.lit(None), value="numerator"), breakdown=breakdown)


@computes("M18-3")
def results(cells: Cells, known: Known) -> None:
    """Results put to use."""
    every = known.accepted["hrss/competition_results"].with_columns(county=pl.col("leading").cast(pl.Int64))
    for period in days("year"):
        rows = every.filter(pl.col("dated").dt.date().is_between(period.start, period.end))
        cells.count("M18-3", period, rows, None)
        for kind, name in RESULTS.items():
            cells.count("M18-3", period, rows.filter(pl.col("kind") == kind), None, ("conversion_kind", name))


@computes("M18-4")
def competitions(cells: Cells, known: Known) -> None:
    """Competitions of the state and the province."""
    every = known.accepted["hrss/competitions"].filter(pl.col("level").is_in(["01", "02"]))
    every = every.with_columns(county=pl.col("host").cast(pl.Int64))
    for period in days("year"):
        rows = every.filter(pl.col("held").dt.date().is_between(period.start, period.end))
        cells.count("M18-4", period, rows, None)
        for name, column in (("contest_level", "level"), ("contest_host", "host_kind")):
            for (value,), part in rows.group_by(column):
                cells.count("M18-4", period, part, None, (name, str(value)))
