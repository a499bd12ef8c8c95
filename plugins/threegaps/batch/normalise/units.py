"""Amounts to their base unit, by the unit that stands beside each or that is declared for the column."""

from __future__ import annotations

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import DeclaredUnit, Unit

_AMOUNT = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"


def unit(option: Unit, texts: Texts, counts: Counts) -> None:
    """Multiply each amount by the factor of the unit beside it; one beside an unknown unit stays."""
    amounts, units = texts[option.column], texts[option.unit_column].texts
    for name, factor in option.factors.items():
        if factor == 1:
            continue
        rows = ((units == name) & amounts.texts.str.contains(_AMOUNT)).fill_null(value=False)
        if rows.any():
            counts.add("unit", option.column, int(rows.sum()))
            amounts.change_all(_where(rows, multiplied(amounts.texts, factor), amounts.texts))


def declared_unit(option: DeclaredUnit, texts: Texts, counts: Counts) -> None:
    """Multiply every amount of the columns by the factor of the unit that the contract declares for them."""
    for name in option.columns:
        amounts = texts[name]
        rows = amounts.texts.str.contains(_AMOUNT).fill_null(value=False)
        if rows.any():
            counts.add("declared_unit", name, int(rows.sum()))
            amounts.change_all(_where(rows, multiplied(amounts.texts, option.factor), amounts.texts))


def multiplied(amounts: pl.Series, factor: int) -> pl.Series:
    """Texts of up to six decimals times *factor*, in exact integer arithmetic."""
    millionths = (amounts.cast(pl.Float64, strict=False) * 1_000_000).round(0).cast(pl.Int64, strict=False) * factor
    sign = pl.when(pl.col("m") < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, rest = pl.col("m").abs() // 1_000_000, pl.col("m").abs() % 1_000_000
    written = pl.format("{}{}.{}", sign, whole, rest.cast(pl.String).str.zfill(6))
    product = pl.DataFrame({"m": millionths}).select(
        written.str.strip_chars_end("0").str.strip_suffix(".").alias(amounts.name)
    )
    return product.to_series()


def _where(mask: pl.Series, yes: pl.Series, no: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"mask": mask, "yes": yes, "no": no})
    return frame.select(pl.when("mask").then("yes").otherwise("no").alias(no.name)).to_series()
