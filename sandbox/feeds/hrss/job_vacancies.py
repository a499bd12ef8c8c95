"""hrss/job_vacancies (浙江人力资源大市场岗位需求): changes by update time, through the gateway, by numbers of rows.

A few of the many that there are: a twenty-fifth of what the size would have. Wages are said in a text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
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
from sandbox.feeds.model import DataSet, Feed, Scene, UpdateWindow, Versions
from sandbox.feeds.paging import StartAndCount
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import FIRST_MONTH, days
from sandbox.population.directories import PROJECTS, projects

NAME = "hrss/job_vacancies"
FIELDS = {
    "vacancy_id": "vacancyId", "project_code": "projectCode", "county_code": "workCounty", "wage": "wage",
    "posted_on": "postedOn", "status": "status", "updated_at": "updatedAt",
}  # fmt: skip
EVER_POSTED_IN_PROVINCE, LEAST_POSTED = 1_400_000, 1_200
SHARE_OF_PROJECTS, SHARE_LEFT_OPEN, SHARE_WITHDRAWN = 0.6, 0.4, 0.02
OPEN, ENDED, WITHDRAWN = "1", "2", "9"


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    no_wage = ("wage_low_cny_month_type", "wage_high_cny_month_type")
    return [
        *county_kinds("county_code"),
        *date_kinds("posted_on"),
        required_kind("vacancy_id"),
        required_kind("county_code"),
        required_kind("posted_on"),
        Kind("vacancy_id_pattern", ("vacancy_id_pattern",), each_text("vacancy_id", lambda text: text[:-1]), ANY),
        code_kind("status", "5"),
        Kind("project_pattern", ("project_code_pattern",), put(project_code="车工班"), ANY),
        Kind("wage_unsure", no_wage, put(wage="8千左右"), ANY),
        Kind("wage_of_a_year", ("wage_high_cny_month_range",), put(wage="8千-150万"), ANY),
        Kind("wage_full_width", (), full_width("wage"), filled("wage"), 1, "full_width"),
        *missing_word_kinds("project_code"),
    ]


def vacancies(scene: Scene) -> pl.DataFrame:
    """All vacancies ever posted, typed; `low` and `high` in yuan a month, missing where nothing is said of them."""
    rng = scene.stream(NAME, 1)
    area = areas.load()
    number = max(round(EVER_POSTED_IN_PROVINCE * scene.parameters.scale), LEAST_POSTED)
    county = rng.choice(len(area.codes), number, p=area.weight)
    posted = days(rng, str(FIRST_MONTH), str(scene.horizon), number)
    low = np.round(5_500 * area.wage_factor[county] * rng.lognormal(0, 0.25, number), -3).astype(int)
    ended = posted + rng.integers(15, 120, number)
    of_county = projects(scene.parameters.seed).with_columns(
        county=pl.col("area_code").replace_strict(
            {code: place for place, code in enumerate(area.codes)}, default=None, return_dtype=pl.Int64
        )
    )
    frame = pl.DataFrame(
        {
            "serial": np.arange(1, number + 1),
            "county": county,
            "number": rng.integers(1, PROJECTS + 1, number),
            "is_of_project": rng.random(number) < SHARE_OF_PROJECTS,
            "posted_on": posted,
            "ended_on": ended,
            "low": low,
            "high": low + rng.integers(1, 6, number) * 1_000,
            "form": rng.choice(
                np.array(["thousands", "digits", "above", "single", "open", "none"]), number,
                p=[0.35, 0.25, 0.1, 0.1, 0.15, 0.05],
            ),
            "is_left_open": rng.random(number) < SHARE_LEFT_OPEN,
            "is_withdrawn": rng.random(number) < SHARE_WITHDRAWN,
            "first": rng.integers(8 * 3600, 20 * 3600, number),
            "second": rng.integers(8 * 3600, 20 * 3600, number),
        }
    )  # fmt: skip
    named = frame.join(
        of_county.select("county", "number", "project_code"), on=["county", "number"], how="left", maintain_order="left"
    )
    said = ~pl.col("form").is_in(["open", "none"])
    return named.with_columns(
        project_code=pl.when("is_of_project").then("project_code"),
        low=pl.when(said).then("low"),
        high=pl.when(pl.col("form") == "single").then("low").when(said & (pl.col("form") != "above")).then("high"),
    )


def wage_text(low: pl.Expr, high: pl.Expr, form: pl.Expr) -> pl.Expr:
    """A wage as recruiters write it: 8千-1.2万, 8000-12000元/月, 5000以上, 6000, 面议."""
    lowest, highest = (
        pl.when(amount < 10_000)
        .then(pl.format("{}千", amount // 1_000))
        .when(amount % 10_000 == 0)
        .then(pl.format("{}万", amount // 10_000))
        .otherwise(pl.format("{}.{}万", amount // 10_000, amount % 10_000 // 1_000))
        for amount in (low, high)
    )
    return (
        pl.when(form == "thousands")
        .then(pl.format("{}-{}", lowest, highest))
        .when(form == "digits")
        .then(pl.format("{}-{}元/月", low, high))
        .when(form == "above")
        .then(pl.format("{}以上", low))
        .when(form == "single")
        .then(pl.format("{}", low))
        .when(form == "open")
        .then(pl.lit("面议"))
        .otherwise(pl.lit(""))
    )


def rows(frame: pl.DataFrame, status: pl.Expr, day_column: str, second: str) -> pl.DataFrame:
    """Vacancies as the platform holds them in a state, which they came to on a day at a second of it."""
    updated = pl.col(day_column).cast(pl.Datetime("us")) + pl.duration(seconds=second)
    return frame.with_columns(_updated=updated).select(
        vacancy_id=pl.format("GW{}", pl.col("serial").cast(pl.String).str.zfill(12)),
        project_code=pl.col("project_code").fill_null(""),
        county_code=county_code("county"),
        wage=wage_text(pl.col("low"), pl.col("high"), pl.col("form")),
        posted_on=day("posted_on"),
        status=status,
        updated_at=moment("_updated"),
        _is_left_open="is_left_open",
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Versions]:
    """Posted, then ended or withdrawn, or left open for good; only what was sent once may be wrong."""
    every = vacancies(scene)
    posted = rows(every, pl.lit(OPEN), "posted_on", "first")
    has_ended = every.filter(~pl.col("is_left_open") & (pl.col("ended_on") <= scene.horizon))
    state = pl.when("is_withdrawn").then(pl.lit(WITHDRAWN)).otherwise(pl.lit(ENDED))
    ended = rows(has_ended, state, "ended_on", "second")
    versions = pl.concat([posted, ended]).with_columns(
        _key="vacancy_id",
        _from="updated_at",
        _until=pl.col("updated_at").shift(-1).over("vacancy_id", order_by="updated_at").fill_null(""),
    )
    stands = pl.col("_until") == ""
    current, older = versions.filter(stands), versions.filter(~stands)
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), pl.col("_is_left_open"))
    scene.accepted[NAME] = not_refused(every, spoilt, "serial")
    yield Versions(pl.concat([spoilt, older.with_columns(**CLEAN)]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.job_vacancies",
        fields=FIELDS,
        order=("updatedAt", "vacancyId"),
        paging=StartAndCount("STARTNUM", "PAGENUM", largest=2_000, first=0, gives_total=True),
        page_interface="getlist",
        records="list",
        window=UpdateWindow("beginTime", "endTime", "updatedAt"),
    ),
    make,
)
