"""hrss/assessment_bodies (评价机构): the full list as it stands, through the HTTP gateway; the first row is number 0.

Not scaled beyond the default size. Whose registration ended may be registered again, under another number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.calendar import FIRST_MONTH
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import StartAndCount
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days

NAME = "hrss/assessment_bodies"
FIELDS = {
    "body_code": "bodyCode", "uscc": "uscc", "county_code": "countyCode", "status": "status",
    "valid_from": "validFrom", "valid_to": "validTo",
}  # fmt: skip
EVER_REGISTERED = 8_000
SHARE_CANCELLED, SHARE_SUSPENDED, SHARE_WITHOUT_END, SHARE_AGAIN = 0.06, 0.02, 0.3, 0.03


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    cancelled = pl.col("status") == "3"
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("body_code"),
        required_kind("uscc"),
        required_kind("county_code"),
        Kind("code_pattern", ("body_code_pattern",), each_text("body_code", lambda text: text[:-1]), ANY),
        Kind("code_full_width", (), full_width("body_code"), ANY, 1, "full_width"),
        code_kind("status", "4"),
        Kind("ends_before_start", ("dates_in_order",), put(valid_to="2018-12-31"), filled("valid_to"), 2),
        Kind("cancelled_without_day", ("cancellation_dated",), put(valid_to=""), cancelled, 12),
        *missing_word_kinds("valid_to"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(status="2"), pl.col("status") == "1", 1, "", "conflict"),
    ]


def bodies(scene: Scene) -> pl.DataFrame:
    """All registrations, typed; `ended_on` is the day of a cancellation."""
    rng = scene.stream(NAME, 1)
    number = scene.parameters.listed(EVER_REGISTERED)
    employers = scene.people.employers.select("uscc", "insured_in")
    chosen = employers[rng.permutation(len(employers))[: min(number, len(employers))]]
    again = chosen[rng.permutation(len(chosen))[: round(len(chosen) * SHARE_AGAIN)]]
    size, first = len(chosen) + len(again), len(chosen)
    began = days(rng, "2020-03-01", str(scene.horizon), size)
    ended = began + rng.integers(100, 1_500, size)
    cancelled = (rng.random(size) < SHARE_CANCELLED) & (ended <= np.datetime64(scene.horizon))
    # Who is registered again was registered before, and that has ended.
    where = pl.Series(chosen["uscc"]).index_of
    before = np.array([where(code) for code in again["uscc"]], dtype=np.int64)
    began[before] = days(rng, "2020-03-01", "2022-12-31", len(again))
    ended[before] = began[before] + rng.integers(100, 500, len(again))
    cancelled[before] = True
    began[first:] = ended[before] + rng.integers(30, 200, len(again))
    cancelled[first:] = False
    valid_to = np.where(rng.random(size) < SHARE_WITHOUT_END, NOT_A_DATE, began + 3 * 365)
    return pl.DataFrame(
        {
            "serial": np.arange(1, size + 1),
            "uscc": pl.concat([chosen["uscc"], again["uscc"]]),
            "insured_in": pl.concat([chosen["insured_in"], again["insured_in"]]),
            "status": np.where(cancelled, "3", np.where(rng.random(size) < SHARE_SUSPENDED, "2", "1")),
            "valid_from": began,
            "planned_to": valid_to,
            "ended_on": np.where(cancelled, ended, NOT_A_DATE),
        }
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Registrations in their last state, as the department writes them."""
    return frame.select(
        body_code=pl.format("PJ{}", pl.col("serial").cast(pl.String).str.zfill(8)),
        uscc="uscc",
        county_code=county_code("insured_in"),
        status="status",
        valid_from=day("valid_from"),
        valid_to=pl.coalesce(pl.col("ended_on"), pl.col("planned_to")).dt.strftime("%Y-%m-%d").fill_null(""),
        _serial="serial",
        _planned_to=day("planned_to"),
        _ended_on=day("ended_on"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each registration and, for cancelled ones, the one before."""
    typed = bodies(scene)
    cancelled = pl.col("status") == "3"
    current = rows(typed).with_columns(
        _key="body_code",
        _from=pl.format("{} 00:00:00", pl.when(cancelled).then("_ended_on").otherwise("valid_from")),
        _until=pl.lit(""),
    )
    registered = current.filter(cancelled).with_columns(
        status=pl.lit("1"),
        valid_to="_planned_to",
        _from=pl.format("{} 00:00:00", "valid_from"),
        _until="_from",
        **CLEAN,
    )
    # What was registered before may only become wrong where it was cancelled before the window.
    once = ~cancelled | (pl.col("_ended_on") < f"{FIRST_MONTH}")
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), once)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, registered]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.assessment_bodies",
        fields=FIELDS,
        order=("bodyCode",),
        paging=StartAndCount("STARTNUM", "PAGENUM", largest=2_000, first=0, gives_total=True),
        page_interface="getlist",
        records="list",
    ),
    make,
)
