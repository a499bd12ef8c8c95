"""union/collective_agreements (能级工资集体协商合同): a full list a quarter, an Excel workbook with merged cells.

What belongs to an agreement stands once, in cells merged over the rows of its enterprises; a regional or sectoral
agreement lists one enterprise several times. Not scaled beyond the default size. Enterprises are employers of the
population.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import ANY, Kind, each_text, flip_last, full_width, put
from sandbox.feeds.lists import Listing, repeated
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.feeds.texts import day
from sandbox.population.codes import days
from sandbox.writers.workbook import Cell, Line, Sheet, excel_date, excel_number, write_workbook

NAME = "union/collective_agreements"
HEADER = {
    "agreement_id": "合同编号", "scope": "协商层级", "is_skill_grade": "是否能级工资", "filing_area_code": "备案地",
    "valid_from": "生效日期", "valid_until": "期满日期", "covered_employees": "覆盖职工数(人)",
    "uscc": "覆盖企业统一社会信用代码",
}  # fmt: skip
OF_THE_AGREEMENT = tuple(HEADER)[:-1]
COLUMN_LETTERS = "ABCDEFG"
FIRST_DATA_ROW = 4
EVER_MADE = 420
ENTERPRISE, REGIONAL, SECTORAL = "企业", "区域性", "行业性"
SHARE_SKILL_GRADE, SHARE_CITY_WIDE, SHARE_LISTED_AGAIN = 0.7, 0.4, 0.06
LARGEST_LIST = 10


def kinds() -> list[Kind]:
    """What may be wrong in an enterprise's own cell: the others belong to the whole agreement."""
    return [
        # Under a merged cell a row without one would be no row at all.
        Kind("uscc_missing", ("uscc_required",), put(uscc=""), pl.col("scope") == ENTERPRISE, 2),
        Kind("code_cut_short", ("uscc_pattern",), each_text("uscc", lambda text: text[:15]), ANY),
        Kind("code_full_width", (), full_width("uscc"), ANY, 1, "full_width"),
        Kind("code_with_apostrophe", (), each_text("uscc", lambda text: "'" + text), ANY, 1, "leading_apostrophe"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]


def agreements(scene: Scene) -> pl.DataFrame:
    """Every agreement and enterprise that it covers, once each, typed.

    `filing_area_code` is a county's, or a city's for one that holds throughout it; `valid_until` is the last day;
    `is_listed_again` says that the department's list has the enterprise a second time.
    """
    rng = scene.stream(NAME, 1)
    area, table = areas.load(), areas.counties()
    number = scene.parameters.listed(EVER_MADE)
    scope = rng.choice(np.array([ENTERPRISE, REGIONAL, SECTORAL]), number, p=[0.6, 0.25, 0.15])
    county = rng.choice(len(area.codes), number, p=area.weight)
    city_wide = (scope == SECTORAL) & (rng.random(number) < SHARE_CITY_WIDE)
    begun = days(rng, "2022-07-01", "2026-12-01", number)
    listed = np.where(scope == ENTERPRISE, 1, rng.integers(3, LARGEST_LIST, number))
    codes, cities = np.array(area.codes), table["city_code"].to_numpy().astype(str)
    made = pl.DataFrame(
        {
            "number": np.arange(1, number + 1),
            "scope": scope,
            "is_skill_grade": rng.random(number) < SHARE_SKILL_GRADE,
            "county": county,
            "filing_area_code": np.where(city_wide, cities[county], codes[county]),
            "valid_from": begun,
            "valid_until": begun + 365 * rng.integers(1, 4, number) - 1,
            "covered_employees": listed * rng.integers(12, 160, number),
            "bound": rng.choice(np.array(["", "近", "余"]), number, p=[0.8, 0.1, 0.1]),
        }
    )
    employers = scene.people.employers.with_columns(place=pl.int_range(pl.len()).over("county"))
    many = np.bincount(employers["county"].to_numpy(), minlength=len(area.codes))
    # Enterprises that stand next to each other in their county: each once in an agreement.
    first = rng.integers(0, 1 << 30, number)
    listed = np.minimum(listed, many[county])
    row = np.repeat(np.arange(number), listed)
    within = np.arange(len(row)) - np.repeat(np.cumsum(listed) - listed, listed)
    covered = made[row].with_columns(place=pl.Series((first[row] + within) % many[county[row]]))
    again = pl.Series(rng.random(len(covered)) < SHARE_LISTED_AGAIN) & (covered["scope"] != ENTERPRISE)
    return (
        covered.with_columns(is_listed_again=again)
        .join(employers.select("county", "place", "uscc"), on=["county", "place"], maintain_order="left")
        .with_columns(entry=pl.format("{}|{}", "number", "uscc"))
    )


def as_listed(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """The list as at `last`, as text; `entry` tells its rows apart."""
    area, cities = areas.load(), areas.counties()
    names = dict(zip(area.codes, area.names, strict=True)) | dict(
        zip(cities["city_code"], area.city_names, strict=True)
    )
    number = pl.col("covered_employees")
    said = (
        pl.when(pl.col("bound") == "近")
        .then(pl.format("近{}", (number // 10 + 1) * 10))
        .when(pl.col("bound") == "余")
        .then(pl.format("{}余人", number // 10 * 10))
        .otherwise(number.cast(pl.String))
    )
    return frame.filter(pl.col("valid_from") <= last).select(
        agreement_id=pl.format("GZ{}", pl.col("number").cast(pl.String).str.zfill(8)),
        scope="scope",
        is_skill_grade=pl.when("is_skill_grade").then(pl.lit("是")).otherwise(pl.lit("否")),
        filing_area_code=pl.col("filing_area_code").replace_strict(names, return_dtype=pl.String),
        valid_from=day("valid_from"),
        valid_until=day("valid_until"),
        covered_employees=said,
        uscc="uscc",
        _is_listed_again="is_listed_again",
        entry="entry",
    )


def _doubled(listed: pl.DataFrame) -> pl.DataFrame:
    """The list with its enterprises that stand there twice; what is spoilt already stands once."""
    again = listed.filter(pl.col("_is_listed_again") & (pl.col("_kind") == "")).with_columns(
        _kind=pl.lit("listed_again"), _is_double=pl.lit(True)
    )
    return pl.concat([listed, again]).sort("agreement_id", maintain_order=True)


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter; the same rows are dirty in each, so that a refused one is never half known."""
    listing = Listing(NAME, agreements(scene), kinds(), as_listed)
    for quarter, rows in repeated(scene, listing, quarters(scene.horizon)):
        yield Consignment(Due(quarter.last, quarter.key), _doubled(rows), _files(quarter))


def _files(quarter: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        name = f"collective_agreements_{quarter.key}.xlsx"
        return [File(name, lambda path: write_workbook(rows, [_sheet(rows, quarter.last)], path), pl.col("_key"))]

    return files


def _sheet(rows: pl.DataFrame, last: date) -> Sheet:
    """Title, note, header, data with what is the agreement's merged over its rows, and a last 合计 row."""
    said = f"统计截止{last.year}年{last.month}月{last.day}日（合成数据，非真实合同）"
    lines = [Line(["工资集体协商合同备案表"]), Line([said]), Line(list(HEADER.values()))]
    merged = ["A1:H1", "A2:H2"]
    for number, (_, agreement) in enumerate(rows.group_by("agreement_id", maintain_order=True)):
        first = FIRST_DATA_ROW + len(lines) - 3
        for place, row in enumerate(agreement.select(*HEADER).iter_rows(named=True)):
            shared = [_cell(name, row[name], number) if place == 0 else None for name in OF_THE_AGREEMENT]
            lines.append(Line([*shared, row["uscc"] or None], is_data=True))
        if len(agreement) > 1:
            merged += [f"{letter}{first}:{letter}{first + len(agreement) - 1}" for letter in COLUMN_LETTERS]
    lines.append(Line(["合计", None, None, None, None, None, None, f"{len(rows)}家次"]))
    return Sheet("备案表", lines, merged=tuple(merged))


def _cell(name: str, text: str, number: int) -> Cell:
    """Counts are numbers where they can be; every third plain date is a real one."""
    if name == "covered_employees":
        return excel_number(text)
    if name.startswith("valid_"):
        return excel_date(text, as_date=number % 3 == 0)
    return text


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
