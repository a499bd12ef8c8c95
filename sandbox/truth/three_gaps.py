"""三大差距: G, and what became of trainees: O."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from sandbox import areas, published_income
from sandbox.calendar import add_months
from sandbox.truth.cells import Cells, members, published_row
from sandbox.truth.cohorts import exits_of, leavers, overlaps, quarters_of
from sandbox.truth.contribution_wages import median_ratio, person_wages, wage_rows
from sandbox.truth.known import LABEL, Known
from sandbox.truth.periods import HORIZON, Period, days, periods
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work, certified_share

LISTS = (("in_force", "G-MI"), ("fixed_26", "G-MI26"), ("fixed_25", "G-MI25"), ("fixed_22", "G-MI22"))
RATIO_OF_SHARES = (
    pl.col("numerator") / pl.col("denominator") / (pl.col("comparison_numerator") / pl.col("comparison_denominator"))
)


@computes("O-1", "O-2", "O-3")
def outcomes(cells: Cells, known: Known) -> None:
    """Wage records in the second and the fourth quarter after, and their sum in the second; once these have ended."""
    exits = exits_of(known.trainings, known.spells)
    for code, months in (("O-1", 6), ("O-2", 12)):
        for period in periods("quarter", "year"):
            if period.shifted(months).end > HORIZON:
                continue
            left = pl.concat([_followed(known, exits, quarter, months) for quarter in quarters_of(period)])
            paid = pl.col("cents").is_not_null()
            cells.ratio(code, period, left, paid)
            cells.ratio(code, period, left, paid, ("evidence", "wage_record"))
            cells.ratio(code, period, left, paid | pl.col("registered"), ("evidence", "or_registration"))
            for breakdown in ("at_entry", "completion"):
                for (value,), part in left.group_by(breakdown):
                    cells.ratio(code, period, part, paid, (breakdown, str(value)))
            if code == "O-1":
                _earnings(cells, period, left.filter(paid))


def _followed(known: Known, exits: pl.DataFrame, quarter: Period, months: int) -> pl.DataFrame:
    """Who left in the quarter; `cents` of wages `months` later, null without a record, and whether `registered`."""
    later = quarter.shifted(months)
    left = leavers(exits, quarter)
    wages = wage_rows(known.wages, later).group_by("person").agg(pl.col("cents").sum())
    return left.with_columns(registered=overlaps(left, known.spells, pl.lit(later.start), pl.lit(later.end))).join(
        wages, on="person", how="left"
    )


def _earnings(cells: Cells, period: Period, paid: pl.DataFrame) -> None:
    """O-3: the median of what those with a wage record earned in the second quarter after theirs."""
    parts = [(("total", "total"), paid)]
    parts += [(("at_entry", str(value)), part) for (value,), part in paid.group_by("at_entry")]
    for breakdown, part in parts:
        frame = (
            part.join(members(period.end), on="county")
            .group_by("area_code")
            .agg(value=pl.col("cents").median() / 100, n_persons=pl.len())
        )
        cells.add("O-3", period, frame.with_columns(numerator=pl.lit(None), denominator=pl.lit(None)), 1, breakdown)


@computes("G1-2")
def certified_by_residence(cells: Cells, known: Known) -> None:
    """Certified, and high-skilled, share of those who live in town over that of the country, by where they live.

    Quarters and years; a value only where each side has 100 persons and 10 holders.
    """
    urban, rural = (pl.col("urban_rural") == code for code in ("1", "2"))
    for period in days("quarter", "year"):
        persons = at_work(known, period, "home")
        for holds, part in (("certified", ("total", "total")), ("high", ("high_skilled", "high_skilled"))):
            counts = persons.group_by("area_code").agg(
                urban=urban.sum(),
                rural=rural.sum(),
                urban_holders=(pl.col(holds) & urban).sum(),
                rural_holders=(pl.col(holds) & rural).sum(),
            )
            enough = (pl.min_horizontal("urban", "rural") >= 100) & (
                pl.min_horizontal("urban_holders", "rural_holders") >= 10
            )
            frame = counts.select(
                "area_code",
                numerator=pl.when(enough).then("urban_holders"),
                denominator="urban",
                comparison_numerator=pl.when(enough).then("rural_holders"),
                comparison_denominator="rural",
                n_persons=pl.min_horizontal("urban", "rural"),
            )
            cells.add("G1-2", period, frame.with_columns(value=RATIO_OF_SHARES), breakdown=part)


@computes("G2-2")
def certified_in_mountain_counties(cells: Cells, known: Known) -> None:
    """Certified share in the mountain and island counties over that of the rest, by list; years."""
    for period in days("year"):
        frame = certified_share(at_work(known, period))
        share = {row["area_code"]: row for row in frame.iter_rows(named=True)}
        for label, group in LISTS:
            one, rest = share[group], share[f"{group}-REST"]
            row = {
                "area_code": [areas.PROVINCE],
                "numerator": [one["numerator"]],
                "denominator": [one["denominator"]],
                "comparison_numerator": [rest["numerator"]],
                "comparison_denominator": [rest["denominator"]],
                "n_persons": [min(one["n_persons"], rest["n_persons"])],
            }
            cells.add("G2-2", period, pl.DataFrame(row).with_columns(value=RATIO_OF_SHARES), breakdown=("list", label))


@computes("G3-1")
def premium_by_level(cells: Cells, known: Known) -> None:
    """Median wage of each level over that of persons without a certificate, years."""
    for period in periods("year"):
        wages = person_wages(known, period)
        for level in LABEL.values():
            there = wages.filter(pl.col("area_code") == areas.PROVINCE) if level in ("T", "S") else wages
            at_level, without = pl.col("level") == level, pl.col("level") == "none"
            median_ratio(cells, "G3-1", period, there, at_level, without, ("skill_level", level))


@computes("G1-1", "G2-5")
def published_gaps(cells: Cells, known: Known) -> None:
    """Real figures as published: urban over rural income, highest over lowest city."""
    for delivery, rows in published_income.figures().items():
        year, quarter = int(delivery[:4]), int(delivery[5])
        start = date(year, 1, 1)
        # Figures run from January.
        period = Period("year" if quarter == 4 else "ytd", start, add_months(start, 3 * quarter) - timedelta(days=1))
        current = [row for row in rows if row.get("definition") != "old_2013" and row["area_code"].isdigit()]
        for row in current:
            urban, rural, ratio = (_number(row.get(name, "")) for name in ("urban", "rural", "ratio"))
            if urban is not None and rural is not None:
                cells.add("G1-1", period, published_row(row["area_code"], urban, rural, urban / rural))
            elif ratio is not None:
                cells.add("G1-1", period, published_row(row["area_code"], None, None, ratio))
        cities = [row for row in current if row["area_code"][2:4] != "00" and row["area_code"].endswith("00")]
        incomes = [number for row in cities if (number := _number(row.get("all", ""))) is not None]
        if len(incomes) == 11:
            top, bottom = max(incomes), min(incomes)
            cells.add("G2-5", period, published_row(areas.PROVINCE, top, bottom, top / bottom))
        elif incomes:
            cells.add("G2-5", period, published_row(areas.PROVINCE, None, None, None))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
