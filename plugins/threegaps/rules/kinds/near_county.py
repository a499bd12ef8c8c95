"""Coordinates must lie near the centre of the county that their row names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PositiveInt

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_AMOUNT, AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.areas import county_centres
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl

_KILOMETRES_PER_DEGREE = 111.2


class NearCounty(Arguments):
    """The columns of longitude, latitude and county code, and how far a county's outermost place is from its centre."""

    column: Annotated[str, AS_AMOUNT]
    other_column: Annotated[str, AS_AMOUNT]
    county_column: Annotated[str, AS_TEXT]
    most_kilometres: PositiveInt


def _unexpected(columns: Columns, of: NearCounty) -> pl.Series:
    import polars as pl

    centres = county_centres()
    frame = pl.DataFrame(
        {
            "longitude": columns[of.column].typed.cast(pl.Float64),
            "latitude": columns[of.other_column].typed.cast(pl.Float64),
            "county": columns[of.county_column].text,
        }
    )
    east, north = (
        pl.col("county").replace_strict(
            {code: centre[axis] for code, centre in centres.items()}, default=None, return_dtype=pl.Float64
        )
        for axis in (0, 1)
    )
    width = north.radians().cos()
    squared = ((pl.col("longitude") - east) * width) ** 2 + (pl.col("latitude") - north) ** 2
    return frame.select(squared.sqrt() * _KILOMETRES_PER_DEGREE > of.most_kilometres).to_series()


def _expected(longitude: Any, latitude: Any, county: Any, *, most_kilometres: int) -> bool:
    centre = county_centres().get(county) if given(county) else None
    if centre is None or not (given(longitude) and given(latitude)):
        return True
    east = (float(longitude) - centre[0]) * math.cos(math.radians(centre[1]))
    return math.hypot(east, float(latitude) - centre[1]) * _KILOMETRES_PER_DEGREE <= most_kilometres


KIND = RuleKind(
    "expect_coordinates_to_lie_near_county",
    NearCounty,
    "accuracy",
    in_words(
        "{column}、{other_column}距{county_column}中心超过{most_kilometres}公里",
        "{column} and {other_column} lie more than {most_kilometres} km from the centre of {county_column}",
    ),
    _unexpected,
    each_row(_expected),
)
