"""hrss/technician_school_programmes (技工院校专业, jg03): changes by update time, beside jg01.

The education department lists some of these schools too, with the same specialties under the same codes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.terms import handed_over
from sandbox.feeds.texts import county_code, day, flag, moment
from sandbox.population.school_programmes import school_programmes
from sandbox.population.schools import technician_schools

NAME = "hrss/technician_school_programmes"
FIELDS = {
    "school_code": "bjz001", "school_county_code": "bjz002", "programme_code": "bjz003", "is_new_occupation": "bjz004",
    "is_new_manufacturing": "bjz005", "is_digital": "bjz006", "valid_from": "bjz007", "valid_until": "bjz008",
    "updated_at": "aae036",
}  # fmt: skip
# What came before the register was kept stands in it once, as it was by then.
REGISTER_BEGUN = "2025-01-01"


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("school_county_code"),
        *date_kinds("valid_from"),
        required_kind("school_code"),
        required_kind("programme_code"),
        Kind("school_code_pattern", ("school_code_pattern",), each_text("school_code", lambda text: text[:-1]), ANY),
        Kind("programme_pattern", ("programme_code_pattern",), put(programme_code="数控"), ANY),
        Kind("programme_full_width", (), full_width("programme_code"), ANY, 1, "full_width"),
        Kind("flag_is_neither", ("is_digital_type",), put(is_digital="部分"), ANY),
        Kind("flag_missing", ("is_new_occupation_required",), put(is_new_occupation=""), ANY),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="1969-08-31"), filled("valid_until"), 4),
        *missing_word_kinds("valid_until"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
    ]


def programmes(scene: Scene) -> pl.DataFrame:
    """All specialties of technician schools, typed, in their last state; one that is still to end has no last day."""
    rng = scene.stream(NAME, 1)
    seed = scene.parameters.seed
    known = technician_schools(seed).select("school", "school_code", "county")
    taught = school_programmes(seed).join(known, on="school").sort("school_code", "programme_code", "opened_on")
    closed = taught["closed_on"].to_numpy()
    closed = np.where(closed <= np.datetime64(scene.horizon), closed, np.datetime64("NaT", "D"))
    seconds = rng.integers(9 * 3600, 17 * 3600, len(taught))
    # Older ones stand there since the province began to list them.
    opened_at = np.maximum(taught["opened_on"].to_numpy() + 20, np.datetime64("2015-09-20")).astype("datetime64[s]")
    closed_at = (closed + 15).astype("datetime64[s]")
    return taught.with_columns(
        serial=pl.int_range(1, pl.len() + 1),
        closed_on=pl.Series(closed, dtype=pl.Date),
        opened_at=pl.Series((opened_at + seconds).astype("datetime64[us]")),
        updated_at=pl.Series((np.where(np.isnat(closed), opened_at, closed_at) + seconds).astype("datetime64[us]")),
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Specialties in their last state, as the department writes them."""
    return frame.select(
        school_code="school_code",
        school_county_code=county_code("county"),
        programme_code="programme_code",
        is_new_occupation=flag("new_occupation"),
        is_new_manufacturing=flag("new_manufacturing"),
        is_digital=flag("digital"),
        valid_from=day("opened_on"),
        valid_until=day("closed_on"),
        updated_at=moment("updated_at"),
        _serial="serial",
        _opened_at=moment("opened_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each specialty and, of those that have ended, the one before."""
    typed = programmes(scene)
    current = rows(typed).with_columns(
        _key=pl.concat_str("school_code", "programme_code", "valid_from", separator="|"),
        _from=handed_over("updated_at"),
        _until=pl.lit(""),
    )
    ended = (pl.col("valid_until") != "") & (pl.col("updated_at") >= REGISTER_BEGUN)
    taught = current.filter(ended).with_columns(
        valid_until=pl.lit(""), updated_at="_opened_at", _from=handed_over("_opened_at"), _until="_from", **CLEAN
    )
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~ended)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, taught]))


FEED = Feed(NAME, Table("jg03", "技工院校专业（合成数据）", FIELDS, moment="aae036"), make)
