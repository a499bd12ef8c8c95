"""Exact figures against the truth, in both directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl
import psycopg

KEY = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")
# The truth's floating point may round a tie the other way; medians that stand as sides are rounded to the cent.
TOLERANCES = {"value": 1.01e-4, "numerator": 0.01, "denominator": 0.01}


def with_shown_sides(truth: pl.DataFrame) -> pl.DataFrame:
    """The true figures; of a ratio of two shares the sides are the shares, in per cent."""
    of_shares = pl.col("comparison_denominator").is_not_null()
    share, comparison_share = (
        100 * pl.col(f"{side}numerator") / pl.col(f"{side}denominator") for side in ("", "comparison_")
    )
    return truth.select(
        *KEY,
        true_value="value",
        true_numerator=pl.when(of_shares).then(share).otherwise("numerator"),
        true_denominator=pl.when(of_shares).then(comparison_share).otherwise("denominator"),
    )


def exact_differences(
    connection: psycopg.Connection[Any], truth: pl.DataFrame, schema: str = "build"
) -> tuple[Counter[str], list[str]]:
    """How many cells of *schema* were compared, by indicator, and what is wrong with them.

    Args:
        connection: To the warehouse.
        truth: The cells of `sandbox.truth`.
        schema: Where `indicator_cell` stands.
    """
    figures = ", ".join(f"{name}::float8" for name in TOLERANCES)
    query = f"select {', '.join(KEY)}, {figures} from {schema}.indicator_cell where value is not null"
    rows = connection.execute(query.encode()).fetchall()
    made = pl.DataFrame(rows, schema=[*KEY, *TOLERANCES], orient="row", infer_schema_length=None)
    both = made.join(with_shown_sides(truth), on=KEY)
    return Counter(both["indicator_code"].to_list()), list(_differences(made, both, with_shown_sides(truth)))


def _differences(made: pl.DataFrame, both: pl.DataFrame, truth: pl.DataFrame) -> Iterator[str]:
    for name, tolerance in TOLERANCES.items():
        off = (pl.col(name) - pl.col(f"true_{name}")).abs() > tolerance
        differ = both.filter(off | (pl.col(name).is_null() != pl.col(f"true_{name}").is_null()))
        if differ.height:
            yield f"{name}: {differ.height} of {both.height} differ: {differ.head(5)}"
    missing = truth.filter(pl.col("true_value").is_not_null()).join(made, on=KEY, how="anti")
    if missing.height:
        yield f"{missing.height} true cells were not made: {missing.head(5)}"
    # the truth lists no zeros
    invented = made.filter(pl.col("value") != 0).join(truth, on=KEY, how="anti")
    if invented.height:
        yield f"{invented.height} cells are not in the truth: {invented.head(5)}"
