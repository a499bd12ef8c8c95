"""hrss/competitions (职业技能竞赛): a full list a year, on a sheet of the workbook of competitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import years
from sandbox.dirt.kinds import ANY, Kind, code_kind, county_kinds, date_kinds, each_text, put, required_kind
from sandbox.feeds.lists import Listing, pages, table
from sandbox.feeds.model import Drop, Due, Feed, Page, Scene
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import days
from sandbox.writers.workbook import Line, Sheet

NAME = "hrss/competitions"
WORKBOOK = "competitions"
SHEET = "竞赛目录"
HEADER = {
    "competition_id": "竞赛编号", "competition_name": "竞赛名称", "contest_level": "竞赛级别", "host_kind": "承办方",
    "host_county_code": "承办地行政区划代码", "held_on": "举办日期",
}  # fmt: skip
EVER_HELD = 900
FIRST_HELD = date(2024, 1, 10)
GUIDE = ("职业技能竞赛填表说明", "本工作簿三张表：竞赛目录、参赛选手、成果转化（合成数据）")
LEVELS, LEVEL_SHARES = np.array(["01", "02", "03", "04"]), (0.02, 0.18, 0.3, 0.5)


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("host_county_code"),
        *date_kinds("held_on"),
        required_kind("competition_id"),
        code_kind("contest_level", "省级"),
        code_kind("host_kind", "05"),
        Kind("id_short", ("competition_id_pattern",), each_text("competition_id", lambda text: text[:-1]), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(competition_name="合成竞赛(另名)"), ANY, 1, "", "conflict"),
    ]


def competitions(scene: Scene) -> pl.DataFrame:
    """All competitions ever held, typed, by their days: `host` is the place of an area in `areas.all_codes`."""
    rng = scene.stream(NAME, 1)
    area, number = areas.load(), scene.parameters.listed(EVER_HELD)
    level = rng.choice(LEVELS, number, p=LEVEL_SHARES)
    county = rng.choice(len(area.codes), number, p=area.weight)
    places = {code: place for place, code in enumerate(areas.all_codes())}
    city = np.array([places[areas.own_level_of(code)] for code in area.codes])[county]
    draw = rng.random(number)
    is_high = (level == "01") | (level == "02")
    by_province, by_city = is_high & (draw < 0.3), (is_high & (draw >= 0.3)) | (level == "03")
    other = np.where(rng.random(number) < 0.2, "04", "03")
    return pl.DataFrame(
        {
            "entry": np.arange(1, number + 1),
            "level": level,
            "host_kind": np.where(by_province, "01", np.where(by_city, "02", other)),
            "host": np.where(by_province, places[areas.PROVINCE_OWN_LEVEL], np.where(by_city, city, county)),
            "held": np.sort(days(rng, str(FIRST_HELD), str(scene.horizon), number)),
        }
    )


def as_listed(entries: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text in canonical columns."""
    return entries.filter(pl.col("held") <= last).select(
        "entry",
        competition_id=numbered("entry"),
        competition_name=pl.format("合成竞赛{}", "entry"),
        contest_level="level",
        host_kind="host_kind",
        host_county_code=county_code("host"),
        held_on=day("held"),
    )


def numbered(column: str) -> pl.Expr:
    """The number of a competition as it is printed."""
    return pl.format("JS{}", pl.col(column).cast(pl.String).str.zfill(9))


def make(scene: Scene) -> Iterator[Page]:
    """A guide and the list, one page a year."""
    guide = Sheet("填表说明", [Line([text]) for text in GUIDE])
    listing = Listing(NAME, competitions(scene), kinds(), as_listed)
    return pages(
        scene, listing, years(scene.horizon), lambda rows, _: [guide, table(SHEET, "职业技能竞赛目录", HEADER, rows)]
    )


def dues(last: date) -> list[Due]:
    """One workbook a year."""
    return [Due(year.last, year.key) for year in years(last)]


FEED = Feed(NAME, Drop(), make, dues, WORKBOOK)
