"""Measure 2: the network of training sites and what guides people to it."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.hrss.guide_channels import CHANNEL_KINDS
from sandbox.truth.cells import Cells, members
from sandbox.truth.counties import one_a_county
from sandbox.truth.known import Known
from sandbox.truth.parts import URBAN_RURAL
from sandbox.truth.periods import LAST_YEARLY_LIST, Period, days, periods
from sandbox.truth.registry import computes
from sandbox.truth.travel import minutes_between

CHANNELS = dict(zip(CHANNEL_KINDS, ("government_site", "service_centre", "labour_market"), strict=True))


@computes("M02-4")
def guide_channels(cells: Cells, known: Known) -> None:
    """Kinds of channels that are live in a county, of the three that it should have."""
    channels = known.accepted["hrss/guide_channels"]
    required = one_a_county().join(pl.DataFrame({"kind": list(CHANNELS)}), how="cross")
    for period in days("quarter", "year"):
        is_open = (pl.col("opened") <= period.end) & (pl.col("closed").is_null() | (pl.col("closed") >= period.end))
        live = channels.filter(is_open).select("county", "kind").unique().with_columns(is_live=True)
        rows = required.join(live, on=["county", "kind"], how="left")
        cells.ratio("M02-4", period, rows, pl.col("is_live"))
        for kind, label in CHANNELS.items():
            part = rows.filter(pl.col("kind") == kind)
            cells.ratio("M02-4", period, part, pl.col("is_live"), ("channel_kind", label))


@computes("M02-2")
def near_home(cells: Cells, known: Known) -> None:
    """Trainings held where the trainee lives, of those that can be said of."""
    table = areas.counties()
    district_of = {
        number: city
        for number, (city, kind) in enumerate(zip(table["city_code"], table["division_type"], strict=True))
        if kind == "district"
    }
    home_city, venue_city = (
        pl.col(column).replace_strict(district_of, default=None, return_dtype=pl.String)
        for column in ("county", "venue")
    )
    is_there = (pl.col("county") == pl.col("venue")) | (home_city == venue_city).fill_null(value=False)
    abroad, unknown = (areas.all_codes().index(code) for code in (areas.OTHER_PROVINCES, areas.UNKNOWN))
    left_out = (
        pl.when("is_online").then(pl.lit("online"))
        .when(pl.col("county") == abroad).then(pl.lit("outside"))
        .when((pl.col("county") == unknown) | (pl.col("venue") < 0)).then(pl.lit("unstated"))
        .otherwise(pl.lit("compared"))
    )  # fmt: skip
    begun = known.trainings.filter(pl.col("status") != "09").with_columns(
        is_there=is_there, left_out=left_out, urban_rural=URBAN_RURAL
    )
    for period in periods("quarter", "ytd", "year"):
        rows = begun.filter(pl.col("start_date").is_between(period.start, period.end))
        compared = rows.filter(pl.col("left_out") == "compared")
        cells.ratio("M02-2", period, compared, pl.col("is_there"))
        for (value,), part in compared.group_by("urban_rural"):
            cells.ratio("M02-2", period, part, pl.col("is_there"), ("urban_rural", str(value)))
        for value in ("online", "outside", "unstated"):
            cells.ratio("M02-2", period, rows, pl.col("left_out") == value, ("left_out", value))


def _periods_of_lists() -> list[Period]:
    """Quarters and years of which the yearly list of places tells."""
    return [period for period in days("quarter", "year") if period.end <= LAST_YEARLY_LIST]


def _holds(first: str, last: str, period: Period) -> pl.Expr:
    return (pl.col(first) <= period.end) & (pl.col(last).is_null() | (pl.col(last) >= period.end))


def _is_open(period: Period) -> pl.Expr:
    """On the day of its closing a site is no longer open."""
    return (pl.col("opened_on") <= period.end) & (pl.col("closed_on").is_null() | (pl.col("closed_on") > period.end))


@computes("M02-1")
def axis_places(cells: Cells, known: Known) -> None:
    """Places of the axis with an open site."""
    places = known.accepted["agriculture/places"].filter(pl.col("tier") != "")
    sites = known.accepted["hrss/training_sites"]
    place, town = ("county", "township", "village"), ("county", "township")
    for period in _periods_of_lists():
        is_open = sites.filter(_is_open(period))
        named = is_open.filter("has_place_code").select(place).unique().with_columns(at=True)
        unnamed = is_open.filter(~pl.col("has_place_code")).select(town).unique().with_columns(around=True)
        rows = places.filter(_holds("valid_from", "valid_until", period)).with_columns(person=None)
        rows = rows.join(named, on=place, how="left").join(unnamed, on=town, how="left")
        cells.ratio("M02-1", period, rows, pl.coalesce("at", "around"))
        for (tier,), part in rows.group_by("tier"):
            cells.ratio("M02-1", period, part, pl.coalesce("at", "around"), ("tier", str(tier)))


@computes("M02-3")
def circle(cells: Cells, known: Known) -> None:
    """Residents of the townships from which the nearest open site is near enough."""
    towns = known.accepted["agriculture/places"].filter(pl.col("place_kind") != "4")
    sites = known.accepted["hrss/training_sites"].filter(pl.col("longitude").is_not_null())
    located = towns.filter(pl.col("longitude").is_not_null())
    minutes = minutes_between(located, sites)
    for period in _periods_of_lists():
        is_open = sites.select(is_open=_is_open(period)).to_series().to_numpy()
        nearest = pl.Series(minutes[:, is_open].min(axis=1))
        there = located.with_columns(nearest=nearest).filter(_holds("valid_from", "valid_until", period))
        for label, part in (("30", ("total", "total")), *((label, ("minutes", label)) for label in ("20", "30", "40"))):
            _residents(cells, period, there.with_columns(hit=pl.col("nearest") <= int(label)), part)
        every = towns.filter(_holds("valid_from", "valid_until", period))
        _residents(cells, period, every.with_columns(hit=pl.col("longitude").is_null()), ("unlocated", "unlocated"))


def _residents(cells: Cells, period: Period, towns: pl.DataFrame, part: tuple[str, str]) -> None:
    """Per cent of the residents of *towns* who live in those with a `hit`."""
    frame = (
        towns.join(members(period.end), on="county")
        .group_by("area_code")
        .agg(
            numerator=pl.col("population").filter(pl.col("hit")).sum(),
            denominator=pl.col("population").sum(),
            n_persons=pl.lit(None, pl.Int64),
        )
    )
    cells.add("M02-3", period, frame, 100, part)
