"""industry/colleges (产业学院与企业学院): the full list as it stands, through the gateway, rows counted from 0.

Not scaled. Colleges are founded by employers of the population and schools of the province.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import not_refused
from sandbox.feeds.dated import dated_versions
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import StartAndCount
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.population.schools import schools

NAME = "industry/colleges"
FIELDS = {
    "college_id": "collegeId", "college_name": "collegeName", "kind": "kind", "host_uscc": "hostCreditCode",
    "school_code": "schoolCode", "county_code": "countyCode", "valid_from": "validFrom", "valid_until": "validUntil",
}  # fmt: skip
EVER_FOUNDED = 400
INDUSTRY_COLLEGE, ENTERPRISE_COLLEGE = "01", "02"
SHARE_INDUSTRY, SHARE_WITHOUT_SCHOOL, SHARE_ENDED = 0.7, 0.4, 0.06


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    with_school = (pl.col("kind") == INDUSTRY_COLLEGE) & filled("school_code")
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("college_id"),
        required_kind("host_uscc"),
        Kind("college_id_pattern", ("college_id_pattern",), each_text("college_id", lambda text: text[:-1]), ANY),
        code_kind("kind", "03", ~filled("school_code")),
        Kind("school_missing", ("school_of_industry_college",), put(school_code=""), with_school, 2),
        Kind("school_by_its_name", ("school_code_pattern",), put(school_code="合成技师学院"), ANY),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="2011-01-01"), ANY),
        *missing_word_kinds("school_code"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("host_uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(college_name="另一学院"), ANY, 2, "", "conflict"),
    ]


def colleges(scene: Scene) -> pl.DataFrame:
    """All colleges ever founded, typed; `valid_until` is the last day."""
    rng = scene.stream(NAME, 1)
    number = EVER_FOUNDED
    listed = schools(scene.parameters.seed).filter(
        pl.col("merged_on").is_null() & (pl.col("opened_on") < pl.date(2022, 1, 1))
    )
    school = listed[rng.integers(0, len(listed), number)]
    employers = scene.people.employers
    kind = np.where(rng.random(number) < SHARE_INDUSTRY, INDUSTRY_COLLEGE, ENTERPRISE_COLLEGE)
    alone = (kind == ENTERPRISE_COLLEGE) & (rng.random(number) < SHARE_WITHOUT_SCHOOL)
    begun = days(rng, "2019-09-01", str(scene.horizon), number)
    left = begun + rng.integers(300, 1_800, number)
    ends = (rng.random(number) < SHARE_ENDED) & (left <= np.datetime64(scene.horizon))
    return pl.DataFrame(
        {
            "number": np.arange(1, number + 1),
            "kind": kind,
            "host_uscc": employers["uscc"].to_numpy()[rng.integers(0, len(employers), number)],
            "school_code": np.where(alone, "", school["school_code"].to_numpy().astype(str)),
            "county": school["county"],
            "valid_from": begun,
            "valid_until": np.where(ends, left, NOT_A_DATE),
        }
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Colleges in their last state, as the department writes them."""
    label = pl.when(pl.col("kind") == INDUSTRY_COLLEGE).then(pl.lit("产业学院")).otherwise(pl.lit("企业学院"))
    return frame.select(
        college_id=pl.format("XY{}", pl.col("number").cast(pl.String).str.zfill(6)),
        college_name=pl.format("合成{}{}", label, "number"),
        kind="kind",
        host_uscc="host_uscc",
        school_code="school_code",
        county_code=county_code("county"),
        valid_from=day("valid_from"),
        valid_until=day("valid_until"),
    ).with_columns(_key="college_id")


def make(scene: Scene) -> Iterator[Versions]:
    """Every state of every college."""
    typed = colleges(scene)
    listed = rows(typed)
    versions = dated_versions(listed, kinds(), scene, NAME)
    scene.accepted[NAME] = not_refused(typed.with_columns(key=listed["_key"]), versions.rows, "key")
    yield versions


FEED = Feed(
    NAME,
    DataSet(
        name="industry.colleges",
        fields=FIELDS,
        order=("collegeId",),
        paging=StartAndCount("OFFSET", "ROWS", largest=500, first=0, gives_total=True),
        page_interface="getpage",
        records="items",
    ),
    make,
)
