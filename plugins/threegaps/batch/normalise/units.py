"""Amounts to their base unit, by the unit that stands beside each or that is declared for the column."""

from __future__ import annotations

from decimal import Context, Decimal

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import DeclaredUnit, Unit

# Whatever the type may accept afterwards: an amount left in its unit would pass for one in yuan.
_AMOUNT = r"^-?[0-9]+(\.[0-9]+)?$"


def unit(option: Unit, texts: Texts, counts: Counts) -> None:
    """Multiply each amount by the factor of the unit beside it; one beside an unknown unit stays."""
    amounts, units = texts[option.column], texts[option.unit_column].texts
    for name, factor in option.factors.items():
        if factor == 1:
            continue
        rows = ((units == name) & amounts.texts.str.contains(_AMOUNT)).fill_null(value=False)
        if rows.any():
            counts.add("unit", option.column, int(rows.sum()))
            amounts.change_all(_in_base_unit(amounts.texts, rows, factor))


def declared_unit(option: DeclaredUnit, texts: Texts, counts: Counts) -> None:
    """Multiply every amount of the columns by the factor of the unit that the contract declares for them."""
    for name in option.columns:
        amounts = texts[name]
        rows = amounts.texts.str.contains(_AMOUNT).fill_null(value=False)
        if rows.any():
            counts.add("declared_unit", name, int(rows.sum()))
            amounts.change_all(_in_base_unit(amounts.texts, rows, option.factor))


def multiplied(amounts: pl.Series, factor: int) -> pl.Series:
    """Texts of amounts times *factor*, in exact decimal arithmetic however many digits they have."""
    written = amounts.drop_nulls().unique()
    longest = max(map(len, written.to_list()), default=0)
    exact = Context(prec=longest + len(str(factor)))
    products = [_plain(exact.multiply(Decimal(amount), factor)) for amount in written.to_list()]
    return amounts.replace_strict(written, pl.Series(products, dtype=pl.String), default=None, return_dtype=pl.String)


def _plain(amount: Decimal) -> str:
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_base_unit(amounts: pl.Series, rows: pl.Series, factor: int) -> pl.Series:
    chosen = rows.arg_true()
    return amounts.clone().scatter(chosen, multiplied(amounts.gather(chosen), factor))
