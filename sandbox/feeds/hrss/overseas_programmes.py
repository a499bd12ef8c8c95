"""hrss/overseas_programmes (技能随企出海项目): a full list a year of numbers that enterprises report, nobody named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import Span, years
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, table, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.feeds.texts import county_code
from sandbox.writers.workbook import Sheet

NAME = "hrss/overseas_programmes"
HEADER = {
    "programme_id": "项目编号", "year_label": "统计年度", "parent_uscc": "境内母公司统一社会信用代码",
    "county_code": "母公司行政区划代码", "country_name": "所在国家(地区)", "staff_kind": "员工类别",
    "trained_person_times": "培训人次", "assessed_person_times": "评价人次", "recognised_certificates": "互认证书(本)",
}  # fmt: skip
EVER_RUN = 130
COUNTRIES = np.array(
    ["泰国", "越南", "印度尼西亚", "马来西亚", "墨西哥", "匈牙利", "摩洛哥", "尼日利亚", "柬埔寨", "塞尔维亚"]
)
STAFF_KINDS = ("当地员工", "外派员工")
FOREIGN_NUMBER = "0105558123456"
SHARE_WITHOUT_CERTIFICATES = 0.3


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    unsaid = pl.col("recognised_certificates") == ""
    return [
        *county_kinds("county_code"),
        required_kind("programme_id"),
        code_kind("staff_kind", "其他"),
        Kind("foreign_register", ("parent_uscc_pattern",), put(parent_uscc=FOREIGN_NUMBER), ANY, 2),
        Kind("uscc_check", ("uscc_check_digit",), each_text("parent_uscc", flip_last), filled("parent_uscc")),
        Kind("country_missing", ("country_name_required",), put(country_name=""), ANY),
        Kind("trained_no_number", ("trained_person_times_type",), put(trained_person_times="若干"), ANY),
        Kind("trained_full_width", (), full_width("trained_person_times"), ANY, 1, "full_width"),
        Kind("more_than_assessed", ("recognised_within_assessed",), put(recognised_certificates="99999"), ANY),
        Kind("certificates_uncounted", (), put(recognised_certificates="未统计"), unsaid, 1, "missing_word"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(trained_person_times="7777"), ANY, 1, "", "conflict"),
    ]


def programmes(scene: Scene) -> pl.DataFrame:
    """What is reported for each programme, year and kind of staff, typed; -1 where certificates were not counted."""
    rng = scene.stream(NAME, 1)
    employers = scene.people.employers
    parent = employers[np.sort(rng.permutation(len(employers))[:EVER_RUN])]
    runs = pl.DataFrame(
        {
            "programme": np.arange(1, len(parent) + 1),
            "uscc": parent["uscc"],
            "county": parent["county"],
            "country": rng.choice(COUNTRIES, len(parent)),
            "first": rng.integers(2022, scene.horizon.year + 1, len(parent)),
            "years": rng.integers(1, 4, len(parent)),
        }
    )
    reported = pl.DataFrame({"year": [int(year.key) for year in years(scene.horizon)]})
    whole = runs.join(reported, how="cross").filter(
        (pl.col("year") >= pl.col("first")) & (pl.col("year") < pl.col("first") + pl.col("years"))
    ).join(pl.DataFrame({"staff": STAFF_KINDS}), how="cross").sort("programme", "year", "staff")  # fmt: skip
    number = len(whole)
    is_local = (whole["staff"] == STAFF_KINDS[0]).to_numpy()
    trained = np.round(np.exp(rng.normal(4.0, 0.8, number)) * np.where(is_local, 1.0, 0.4)).astype(int)
    assessed = np.round(trained * rng.uniform(0.2, 0.9, number)).astype(int)
    certificates = np.round(assessed * rng.uniform(0, 0.6, number)).astype(int)
    unsaid = rng.random(number) < SHARE_WITHOUT_CERTIFICATES
    return whole.with_columns(
        entry=pl.int_range(1, pl.len() + 1),
        trained=pl.Series(trained),
        assessed=pl.Series(assessed),
        certificates=pl.Series(np.where(unsaid, -1, certificates)),
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    count = pl.col("certificates")
    return entries.filter(pl.col("year") <= last.year).select(
        "entry",
        programme_id=pl.format("CH{}", pl.col("programme").cast(pl.String).str.zfill(6)),
        year_label=pl.format("{}年", "year"),
        parent_uscc="uscc",
        county_code=county_code("county"),
        country_name="country",
        staff_kind="staff",
        trained_person_times=pl.col("trained").cast(pl.String),
        assessed_person_times=pl.col("assessed").cast(pl.String),
        recognised_certificates=pl.when(count < 0).then(pl.lit("")).otherwise(count.cast(pl.String)),
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a year."""
    listing = Listing(NAME, programmes(scene), kinds(), as_listed)
    return workbooks(scene, listing, years(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, year: Span) -> list[Sheet]:
    return [table("出海项目", f"{year.key}年技能随企出海项目表", HEADER, rows)]


FEED = Feed(NAME, Drop(), make, lambda last: [Due(year.last, year.key) for year in years(last)])
