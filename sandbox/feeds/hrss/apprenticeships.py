"""hrss/apprenticeships (企业新型学徒制学徒): changes by update time, through the signed HTTP gateway.

Of those who left early many have no day of leaving, and some apprenticeships that are long over were never reported.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.calendar import FIRST_MONTH
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    both,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    identity_kinds,
    missing_word_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import DataSet, Feed, Scene, UpdateWindow, Versions
from sandbox.feeds.paging import PageAndSize
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import LAST_DAY, NOT_A_DATE, days

NAME = "hrss/apprenticeships"
FIELDS = {
    "apprenticeship_id": "apprenticeshipId", "id_type": "idType", "resident_id": "idNumber", "uscc": "uscc",
    "work_county_code": "workCounty", "entrant_type": "entrantType", "target_level_code": "targetLevel",
    "start_date": "startDate", "planned_end_date": "plannedEndDate", "ended_on": "endedOn", "status": "status",
    "updated_at": "updatedAt",
}  # fmt: skip
FIRST_START = "2022-03-01"
# 120,000 in training at a time, for a year and a half on average, over five years.
EVER_BEGUN = 400_000
LEAST_BEGUN = 200
LEVELS, LEVEL_SHARES = np.array(["4", "3", "2", "1"]), (0.5, 0.38, 0.1, 0.02)
ENTRANTS, ENTRANT_SHARES = np.array(["01", "02", "03", "04"]), (0.3, 0.45, 0.1, 0.15)
# Of all apprentices: those who get the certificate aimed at about when they finish, those who leave early (of whom a
# part has no day of leaving), those of whom nobody ever reported an end.
SHARE_CERTIFIED, SHARE_LEFT, SHARE_LEFT_WITHOUT_DATE, SHARE_NEVER_REPORTED = 0.6, 0.15, 0.4, 0.08
SHARE_WITHDRAWN = 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    ended = (pl.col("status") == "02") & filled("ended_on")
    return [
        *identity_kinds(),
        *county_kinds("work_county_code"),
        *date_kinds("start_date"),
        required_kind("uscc"),
        required_kind("planned_end_date"),
        Kind("id_pattern", ("apprenticeship_id_pattern",), each_text("apprenticeship_id", lambda text: text[:-1]), ANY),
        code_kind("entrant_type", "05"),
        code_kind("target_level_code", "T"),
        code_kind("status", "04"),
        Kind("planned_before_start", ("planned_dates_in_order",), put(planned_end_date="2018-03-01"), ANY),
        Kind("planned_too_late", ("planned_end_date_range",), put(planned_end_date="2035-01-01"), ANY),
        Kind("ended_before_start", ("ended_dates_in_order",), put(ended_on="2018-03-01"), ended, 4),
        Kind("completed_without_date", ("completion_dated",), put(ended_on=""), ended, 4),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        *missing_word_kinds("ended_on"),
        Kind(
            "two_faults", ("entrant_type_code", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), put(entrant_type="05")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def apprenticeships(scene: Scene) -> pl.DataFrame:
    """All apprenticeships in their last state, typed; `began_at` and `updated_at` say when the department knew."""
    rng = scene.stream(NAME, 1)
    number = max(round(EVER_BEGUN * scene.parameters.scale), LEAST_BEGUN)
    work = (
        scene.people.spells.filter("is_insured")
        .unique("person", keep="first", maintain_order=True)
        .select("person", "id_type", "resident_id", "uscc", "employer")
        .join(scene.people.employers.select("employer", "insured_in"), on="employer", maintain_order="left")
    )
    certified = work.join(
        scene.people.certificates.filter(
            pl.col("level_code").is_in(LEVELS.tolist()) & (pl.col("issued_on") >= pl.date(2023, 2, 1))
        )
        .unique("person", keep="first", maintain_order=True)
        .select("person", "level_code", "issued_on"),
        on="person",
        maintain_order="left",
    )
    certified = certified[rng.permutation(len(certified))[: round(number * SHARE_CERTIFIED)]]
    others = work.filter(~pl.col("person").is_in(certified["person"].implode()))
    others = others[rng.permutation(len(others))[: number - len(certified)]].with_columns(
        level_code=pl.lit(None, pl.String), issued_on=pl.lit(None, pl.Date)
    )
    chosen = pl.concat([certified, others])
    size = len(chosen)
    length = rng.choice([365, 365, 730, 545], size)
    # Whoever has the certificate got it from two months before the planned end to five months after it.
    planned = np.where(
        chosen["issued_on"].is_null().to_numpy(),
        days(rng, FIRST_START, LAST_DAY, size) + length,
        chosen["issued_on"].fill_null(pl.date(1970, 1, 1)).to_numpy() + rng.integers(-150, 60, size),
    )
    start = planned - length
    is_certified = np.arange(size) < len(certified)
    draw = rng.random(size)
    left = ~is_certified & (draw < SHARE_LEFT / (1 - SHARE_CERTIFIED))
    silent = draw >= 1 - SHARE_NEVER_REPORTED
    ended = np.where(
        left, start + (rng.uniform(0.1, 0.95, size) * length).astype(int), planned + rng.integers(-5, 25, size)
    )
    ended = np.where(silent, NOT_A_DATE, ended)
    undated = left & (rng.random(size) < SHARE_LEFT_WITHOUT_DATE)
    seconds = rng.integers(9 * 3600, 17 * 3600, size)
    began_at = (start + rng.integers(1, 15, size)).astype("datetime64[s]") + seconds
    told_at = (ended + rng.integers(1, 25, size)).astype("datetime64[s]") + seconds
    horizon = np.datetime64(scene.horizon) + 1
    told = ~np.isnat(told_at) & (told_at < horizon)
    withdrawn = rng.random(size) < SHARE_WITHDRAWN
    status = np.where(told & withdrawn, "09", np.where(told & left, "03", np.where(told, "02", "01")))
    serial = np.arange(1, size + 1)
    return pl.DataFrame(
        {
            "serial": serial,
            "person": chosen["person"],
            "id_type": chosen["id_type"],
            "resident_id": chosen["resident_id"],
            "uscc": chosen["uscc"],
            "insured_in": chosen["insured_in"],
            "entrant_type": rng.choice(ENTRANTS, size, p=ENTRANT_SHARES),
            "target_level_code": np.where(
                is_certified, chosen["level_code"].fill_null("").to_numpy(), rng.choice(LEVELS, size, p=LEVEL_SHARES)
            ),
            "start_date": start,
            "planned_end_date": planned,
            "ended_on": np.where(told & ~undated, ended, NOT_A_DATE),
            "status": status,
            "began_at": began_at.astype("datetime64[us]"),
            "updated_at": np.where(told, told_at, began_at).astype("datetime64[us]"),
        }
    ).filter(pl.col("began_at").dt.date() <= scene.horizon)


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Apprenticeships in their last state, as the department writes them."""
    return frame.select(
        apprenticeship_id=pl.format(
            "XT{}{}", pl.col("start_date").dt.strftime("%Y%m"), pl.col("serial").cast(pl.String).str.zfill(8)
        ),
        id_type="id_type",
        resident_id="resident_id",
        uscc="uscc",
        work_county_code=county_code("insured_in"),
        entrant_type="entrant_type",
        target_level_code="target_level_code",
        start_date=day("start_date"),
        planned_end_date=day("planned_end_date"),
        ended_on=day("ended_on"),
        status="status",
        updated_at=moment("updated_at"),
        _serial="serial",
        _began_at=moment("began_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each apprenticeship and, of those that ended in the window, the one before."""
    typed = apprenticeships(scene)
    current = rows(typed).with_columns(_key="apprenticeship_id", _from="updated_at", _until=pl.lit(""))
    ended = pl.col("status") != "01"
    in_window = pl.col("updated_at") >= f"{FIRST_MONTH}"
    begun = current.filter(ended & in_window & (pl.col("_began_at") < pl.col("updated_at"))).with_columns(
        status=pl.lit("01"), ended_on=pl.lit(""), updated_at="_began_at", _from="_began_at", _until="updated_at",
        **CLEAN,
    )  # fmt: skip
    undated = (pl.col("status") == "03") & (pl.col("ended_on") == "")
    # What was sent as begun stays so when its end is refused: only what comes once may be wrong.
    once = (~ended | ~in_window) & ~undated & (pl.col("status") != "09")
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), once)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, begun]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.apprenticeships",
        fields=FIELDS,
        order=("updatedAt", "apprenticeshipId"),
        paging=PageAndSize("PAGE", "PAGENUM", largest=5_000),
        page_interface="getdata",
        total_interface="gettotal",
        window=UpdateWindow("updatedFrom", "updatedTo", "updatedAt"),
    ),
    make,
)
