"""Typed columns as a department writes them: text only."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.population.codes import INDUSTRIES


def county_code(column: str) -> pl.Expr:
    """Index of a county or of an own level to its code; -1 becomes an empty text."""
    mapping = dict(enumerate(areas.all_codes())) | {-1: ""}
    return pl.col(column).replace_strict(mapping, return_dtype=pl.String)


def flag(column: str) -> pl.Expr:
    """Boolean as '1' or '0'."""
    return pl.when(pl.col(column)).then(pl.lit("1")).otherwise(pl.lit("0"))


def day(column: str, style: str = "%Y-%m-%d") -> pl.Expr:
    """A date as text, missing as an empty text."""
    return pl.col(column).dt.strftime(style).fill_null("")


def industry_code(column: str) -> pl.Expr:
    """Index of an industry to its letter."""
    return pl.col(column).replace_strict(dict(enumerate(INDUSTRIES.tolist())), return_dtype=pl.String)


def moment(column: str) -> pl.Expr:
    """A point in time as `2026-06-30 23:59:59`."""
    return pl.col(column).dt.strftime("%Y-%m-%d %H:%M:%S")


def said(number: pl.Expr, bound: pl.Expr) -> pl.Expr:
    """A number as it is said: 64, or with a bound 近70 (not quite), 60余 (and some)."""
    return (
        pl.when(bound == "近")
        .then(pl.format("近{}", (number // 10 + 1) * 10))
        .when((bound == "余") & (number >= 10))
        .then(pl.format("{}余", number // 10 * 10))
        .otherwise(number.cast(pl.String))
    )


def written(number: pl.Expr, bound: pl.Expr) -> pl.Expr:
    """The number that is written where one is said with a bound: 70 in 近70, 60 in 60余."""
    return (
        pl.when(bound == "近")
        .then((number // 10 + 1) * 10)
        .when((bound == "余") & (number >= 10))
        .then(number // 10 * 10)
        .otherwise(number)
    )


def amount(cents: pl.Expr) -> pl.Expr:
    """Cents, none of them below zero, as a decimal text in 元."""
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))
