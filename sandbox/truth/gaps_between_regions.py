"""地区差距 beyond the mountain and island counties: extremes, Theil's index and the published incomes of the lists."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from sandbox import areas, published_employment, published_income
from sandbox.truth.cells import Cells, members, published_row
from sandbox.truth.contribution_wages import wages_by_county
from sandbox.truth.inequality import theil, theil_parts
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days, years_of_wages
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work, certified_share
from sandbox.truth.three_gaps import LISTS

FEWEST_EMPLOYED = 1000


def _counties() -> list[str]:
    return list(areas.load().codes)


def _province(value: float | None, persons: int | None, sides: tuple[float, float] | None = None) -> pl.DataFrame:
    upper, lower = sides or (None, None)
    return pl.DataFrame(
        [(areas.PROVINCE, upper, lower, value, persons)],
        schema={"area_code": pl.String, "numerator": pl.Float64, "denominator": pl.Float64, "value": pl.Float64,
                "n_persons": pl.Int64},
        orient="row",
    )  # fmt: skip


@computes("G2-1")
def extremes(cells: Cells, known: Known) -> None:
    """Highest over lowest county's certified share, and the 90th over the 10th percentile; years."""
    for period in days("year"):
        shares = certified_share(at_work(known, period)).filter(
            pl.col("area_code").is_in(_counties()) & (pl.col("denominator") >= FEWEST_EMPLOYED)
        )
        if shares.is_empty():
            cells.add("G2-1", period, _province(None, None))
            continue
        percent = (100 * shares["numerator"] / shares["denominator"]).to_numpy()
        persons = int(shares["denominator"].to_numpy().min())
        extreme = (float(percent.max()), float(percent.min()))
        tails = (float(np.percentile(percent, 90)), float(np.percentile(percent, 10)))
        for part, (upper, lower) in (
            (("total", "total"), extreme),
            (("spread", "max_min"), extreme),
            (("spread", "p90_p10"), tails),
        ):
            cells.add("G2-1", period, _province(upper / lower, persons, (upper, lower)), breakdown=part)


@computes("G2-3")
def theil_of_counties(cells: Cells, known: Known) -> None:
    """Theil's T over the counties' mean wages, weighted by persons, with what lies between the lists and the rest."""
    for period in years_of_wages():
        wages = wages_by_county(known.wages, period).join(
            pl.DataFrame({"county": range(len(_counties())), "code": _counties()}), on="county"
        )
        rows = wages.group_by("code").agg(persons=pl.len(), mean=pl.col("wage").mean()).rows()
        means = [(persons, mean) for _, persons, mean in rows]
        cells.add("G2-3", period, _province(theil(means), sum(number for number, _ in means)))
        for label, group in LISTS:
            on_list = _listed(group, period.end)
            is_listed = [code in on_list for code, _, _ in rows]
            between, within = theil_parts(means, is_listed)
            listed = sum(number for (number, _), there in zip(means, is_listed, strict=True) if there)
            smaller = min(listed, sum(number for number, _ in means) - listed)
            if label == "in_force":
                cells.add("G2-3", period, _province(between, smaller), breakdown=("component", "between"))
                cells.add("G2-3", period, _province(within, smaller), breakdown=("component", "within"))
            cells.add("G2-3", period, _province(between, smaller), breakdown=("list", label))


def _listed(group: str, day: date) -> set[str]:
    codes = areas.all_codes()
    return {codes[county] for area, county in members(day).iter_rows() if area == group}


@computes("G2-4")
def incomes_of_lists(cells: Cells, known: Known) -> None:
    """The lists' income, weighted by residents where all of their counties are published, to the province's."""
    residents = {
        (row["area_code"], row["as_of"]): float(row["value"])
        for row in published_employment.figures()
        if row["item"] == "常住人口"
    }
    for delivery, rows in published_income.figures().items():
        if not delivery.endswith("Q4"):
            continue
        period = Period("year", date(int(delivery[:4]), 1, 1), date(int(delivery[:4]), 12, 31))
        incomes = {row["area_code"]: float(row["all"]) for row in rows if _is_income(row)}
        for _, group in LISTS:
            on_list = _listed(group, period.end)
            if not on_list & incomes.keys():
                continue
            weights = {code: residents.get((code, period.end.isoformat())) for code in on_list}
            income = None
            if on_list <= incomes.keys() and None not in weights.values():
                income = sum(incomes[code] * (weights[code] or 0) for code in on_list)
                income /= sum(weight or 0 for weight in weights.values())
            province = incomes.get(areas.PROVINCE)
            value = 100 * income / province if income is not None and province is not None else None
            cells.add("G2-4", period, published_row(group, income, province, value))


def _is_income(row: dict[str, str]) -> bool:
    return row.get("definition") != "old_2013" and row["area_code"].isdigit() and row.get("all", "").isdigit()
