"""hrss/title_awards (高技能人才职称评审结果, zc01): changes by update time, in the departmental database.

Skilled workers apply for professional titles; whoever did not pass stands there too.
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
    identity_kinds,
    missing_word_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import LAST_DAY, NOT_A_DATE, days

NAME = "hrss/title_awards"
FIELDS = {
    "award_id": "bcz001", "id_type": "aac058", "resident_id": "aac147", "employer_county_code": "aab301",
    "title_level": "bcz002", "route": "bcz003", "applied_on": "bcz004", "outcome": "bcz005", "awarded_on": "bcz006",
    "updated_at": "aae036", "is_valid": "aae100",
}  # fmt: skip
# About 5,000 a month since 2023, of whom two in three pass.
APPLICATIONS_A_YEAR = 60_000
LEAST_APPLICATIONS = 300
FIRST_APPLICATION = "2023-01-01"
TITLES, TITLE_SHARES = np.array(["1", "2", "3", "4", "5"]), (0.02, 0.13, 0.4, 0.4, 0.05)
ROUTES, ROUTE_SHARES = np.array(["01", "02", "03"]), (0.55, 0.25, 0.2)
SHARE_PASSED, SHARE_HIGH_SKILLED, SHARE_WITHDRAWN = 0.66, 0.85, 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    passed = (pl.col("outcome") == "1") & filled("awarded_on")
    failed = pl.col("outcome") == "2"
    return [
        *identity_kinds(),
        *county_kinds("employer_county_code"),
        *date_kinds("applied_on"),
        required_kind("award_id"),
        required_kind("applied_on"),
        Kind("id_pattern", ("award_id_pattern",), each_text("award_id", lambda text: text[:-1]), ANY),
        code_kind("title_level", "6"),
        code_kind("route", "04"),
        code_kind("outcome", "3", ~filled("awarded_on")),
        Kind("awarded_before_application", ("dates_in_order",), put(awarded_on="2018-02-01"), passed, 3),
        Kind("passed_without_date", ("awarded_on_for_outcome",), put(awarded_on=""), passed, 3),
        Kind("date_of_who_failed", ("awarded_on_for_outcome",), put(awarded_on="2026-06-01"), failed, 3),
        Kind("awarded_bad_date", ("awarded_on_type",), put(awarded_on="2025-02-30"), passed),
        *missing_word_kinds("awarded_on"),
        Kind(
            "two_faults", ("route_code", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), put(route="04")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def applications(scene: Scene) -> pl.DataFrame:
    """All applications in their last state, typed; `applied_at` and `updated_at` say when the department knew."""
    rng = scene.stream(NAME, 1)
    years = float((LAST_DAY - np.datetime64(FIRST_APPLICATION)).astype(int)) / 365.25
    number = max(round(APPLICATIONS_A_YEAR * scene.parameters.scale * years), LEAST_APPLICATIONS)
    work = (
        scene.people.spells.unique("person", keep="first", maintain_order=True)
        .select("person", "id_type", "resident_id", "employer")
        .join(scene.people.employers.select("employer", "insured_in"), on="employer", maintain_order="left")
        .join(scene.people.persons.select("person", "level"), on="person", maintain_order="left")
    )
    high = pl.col("level").is_in(["3", "2", "1", "T", "S"])
    parts = []
    for group, share in ((work.filter(high), SHARE_HIGH_SKILLED), (work.filter(~high), 1 - SHARE_HIGH_SKILLED)):
        parts.append(group[rng.permutation(len(group))[: round(number * share)]])
    chosen = pl.concat(parts)
    size = len(chosen)
    applied = days(rng, FIRST_APPLICATION, LAST_DAY, size)
    decided = applied + rng.integers(60, 240, size)
    passed = rng.random(size) < SHARE_PASSED
    seconds = rng.integers(9 * 3600, 17 * 3600, size)
    applied_at = (applied + rng.integers(1, 8, size)).astype("datetime64[s]") + seconds
    decided_at = (decided + rng.integers(1, 20, size)).astype("datetime64[s]") + seconds
    is_decided = decided_at < np.datetime64(scene.horizon) + 1
    return pl.DataFrame(
        {
            "serial": np.arange(1, size + 1),
            "person": chosen["person"],
            "id_type": chosen["id_type"],
            "resident_id": chosen["resident_id"],
            "insured_in": chosen["insured_in"],
            "title_level": rng.choice(TITLES, size, p=TITLE_SHARES),
            "route": rng.choice(ROUTES, size, p=ROUTE_SHARES),
            "applied_on": applied,
            "outcome": np.where(is_decided, np.where(passed, "1", "2"), "0"),
            "awarded_on": np.where(is_decided & passed, decided, NOT_A_DATE),
            "is_withdrawn": is_decided & (rng.random(size) < SHARE_WITHDRAWN),
            "applied_at": applied_at.astype("datetime64[us]"),
            "updated_at": np.where(is_decided, decided_at, applied_at).astype("datetime64[us]"),
        }
    ).filter(pl.col("applied_at").dt.date() <= scene.horizon)


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Applications in their last state, as the department writes them."""
    return frame.select(
        award_id=pl.format(
            "ZC{}{}", pl.col("applied_on").dt.strftime("%Y"), pl.col("serial").cast(pl.String).str.zfill(8)
        ),
        id_type="id_type",
        resident_id="resident_id",
        employer_county_code=county_code("insured_in"),
        title_level="title_level",
        route="route",
        applied_on=day("applied_on"),
        outcome="outcome",
        awarded_on=day("awarded_on"),
        updated_at=moment("updated_at"),
        is_valid=pl.when("is_withdrawn").then(pl.lit("0")).otherwise(pl.lit("1")),
        _serial="serial",
        _applied_at=moment("applied_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each application and, of those decided in the window, the one before."""
    typed = applications(scene)
    current = rows(typed).with_columns(_key="award_id", _from="updated_at", _until=pl.lit(""))
    # What was decided before the window came once, with its outcome.
    decided = (pl.col("outcome") != "0") & (pl.col("updated_at") >= f"{FIRST_MONTH}")
    under_review = current.filter(decided & (pl.col("_applied_at") < pl.col("updated_at"))).with_columns(
        outcome=pl.lit("0"), awarded_on=pl.lit(""), is_valid=pl.lit("1"), updated_at="_applied_at",
        _from="_applied_at", _until="updated_at", **CLEAN,
    )  # fmt: skip
    once = ~decided & (pl.col("is_valid") == "1")
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), once)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, under_review]))


FEED = Feed(NAME, Table("zc01", "高技能人才职称评审结果（合成数据）", FIELDS, moment="aae036"), make)
