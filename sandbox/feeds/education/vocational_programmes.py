"""education/vocational_programmes (职业院校专业): a full list a term, CSV in GB18030, line breaks in quoted cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import polars as pl

from sandbox.calendar import Span, terms
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    county_kinds,
    date_kinds,
    each_text,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, repeated
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import county_code, day
from sandbox.population.school_programmes import FLAGS, school_programmes
from sandbox.population.schools import schools
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "education/vocational_programmes"
LAYOUT = CsvLayout(
    {
        "school_code": "学校标识码", "school_name": "学校名称", "school_county_code": "学校所在地行政区划代码",
        "programme_code": "专业代码", "programme_name": "专业名称", "is_new_occupation": "是否新职业",
        "is_new_manufacturing": "是否新制造", "is_digital": "是否数字化", "is_rural_industry": "是否乡村产业",
        "valid_from": "开办日期", "valid_until": "停办日期",
    },
    encoding="gb18030", line_end="\r\n", quoted=True,
)  # fmt: skip
SHARE_BROKEN_LINES = 0.15


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("school_county_code"),
        *date_kinds("valid_from"),
        required_kind("school_code"),
        required_kind("programme_code"),
        required_kind("school_county_code"),
        Kind("school_code_pattern", ("school_code_pattern",), each_text("school_code", lambda text: text[:-1]), ANY),
        Kind("programme_pattern", ("programme_code_pattern",), put(programme_code="数控"), ANY),
        Kind("programme_full_width", (), full_width("programme_code"), ANY, 1, "full_width"),
        Kind("flag_is_neither", ("is_digital_type",), put(is_digital="部分"), ANY),
        Kind("flag_missing", ("is_rural_industry_required",), put(is_rural_industry=""), ANY),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="1975-08-31"), ANY),
        Kind("name_on_two_lines", (), put(programme_name=pl.format("{}\n(合成)", "programme_name")), ANY, 2),
        *missing_word_kinds("valid_until"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(programme_name="另一专业"), ANY, 1, "", "conflict"),
    ]


def programmes(scene: Scene) -> pl.DataFrame:
    """Specialties of the schools that the education department lists, typed, with their schools' columns."""
    seed = scene.parameters.seed
    listed = schools(seed).filter("is_listed_by_education").select("school", "school_code", "school_name", "county")
    taught = school_programmes(seed).join(listed, on="school").sort("school_code", "programme_code")
    broken = pl.Series(scene.stream(NAME, 1).random(len(taught)) < SHARE_BROKEN_LINES)
    return taught.with_columns(
        has_broken_line=broken, entry=pl.concat_str("school_code", "programme_code", day("opened_on"), separator="|")
    )


def as_listed(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text; `entry` tells its rows apart."""
    ended = pl.col("closed_on") <= last
    flags = {f"is_{flag}": pl.when(flag).then(pl.lit("是")).otherwise(pl.lit("否")) for flag in FLAGS}
    return frame.filter(pl.col("opened_on") <= last).select(
        "school_code",
        "school_name",
        "programme_code",
        school_county_code=county_code("county"),
        # Some names are written with their branch on a second line.
        programme_name=pl.when("has_broken_line")
        .then(pl.format("{}\n(校企合作)", "programme_name"))
        .otherwise("programme_name"),
        **flags,
        valid_from=day("opened_on"),
        valid_until=pl.when(ended).then(day("closed_on")).otherwise(pl.lit("")),
        entry="entry",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One list a term; the same specialties are dirty in each, so that a refused one is never half known."""
    listing = Listing(NAME, programmes(scene), kinds(), as_listed)
    for term, rows in repeated(scene, listing, terms(scene.horizon)):
        yield Consignment(Due(term.last, term.key), rows, _files(term))


def _files(term: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        path = f"vocational_programmes/vocational_programmes_{term.key}.csv"
        return [File(path, lambda target: write_csv(rows, target, LAYOUT), pl.col("_key"))]

    return files


FEED = Feed(NAME, Sftp(), make, lambda last: [Due(term.last, term.key) for term in terms(last)])
