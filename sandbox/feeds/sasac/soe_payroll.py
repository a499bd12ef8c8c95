"""sasac/soe_payroll (国有企业工资总额与技能序列): every year three Excel workbooks, each in a layout of its own.

Those of the province, of the cities and of the counties: other headers, other units, other ways to name a county.
Provincial enterprises are registered in districts of Hangzhou. Not scaled. Enterprises are employers of the population.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, years
from sandbox.dirt.kinds import ANY, Kind, each_text, flip_last, full_width, put, required_kind
from sandbox.dirt.spoil import apply_plan, kinds_by, not_refused, spoil
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.writers.workbook import Cell, Line, Sheet, excel_amount, excel_number, write_workbook

NAME = "sasac/soe_payroll"
PROVINCE, CITY, COUNTY = "province", "city", "county"
NUMBERS = {PROVINCE: 60, CITY: 160, COUNTY: 240}
"""Enterprises by who supervises them."""
TEN_THOUSAND = 10_000
SHARE_IN_SCOPE, SHARE_WITH_SEQUENCE, SHARE_OF_ONE_YEAR = 0.9, 0.45, 0.06


@dataclass(frozen=True, slots=True)
class Layout:
    """How one level writes its workbook.

    Args:
        part: Of the file's name.
        titles: Lines above the header.
        groups: Upper row of the header with its merged areas; none where it has one row.
        header: Canonical column to the (lower) header, in the order of the sheet.
        unit: Of its amounts, in yuan.
        names_counties: Whether counties stand by name instead of by code.
    """

    part: str
    titles: tuple[str, ...]
    groups: tuple[str | None, ...]
    merged: tuple[str, ...]
    header: dict[str, str]
    unit: int
    names_counties: bool


LAYOUTS = {
    PROVINCE: Layout(
        "province",
        ("省属企业工资总额清算表", "（合成数据，非真实企业）单位：万元、人"),
        ("企业", None, "制度建设", None, "工资总额(万元)", None, "平均人数", None),
        ("A1:H1", "A2:H2", "A3:B3", "C3:D3", "E3:F3", "G3:H3"),
        {
            "uscc": "统一社会信用代码", "county_code": "所在地区划代码", "in_scope": "是否纳入范围",
            "has_skill_sequence": "是否建立技能序列",
            "wage_bill_cny": "全部职工", "high_skilled_wage_cny": "高技能人才",
            "average_staff": "全部职工", "high_skilled_staff": "高技能人才",
        },
        TEN_THOUSAND,
        names_counties=False,
    ),
    CITY: Layout(
        "cities",
        ("市属企业工资总额表（合成数据）",),
        (),
        ("A1:H1",),
        {
            "uscc": "信用代码", "county_code": "注册地(县、市、区)", "in_scope": "纳入范围",
            "average_staff": "全年平均人数",
            "high_skilled_staff": "高技能人才数", "wage_bill_cny": "工资总额(万元)",
            "high_skilled_wage_cny": "高技能人才工资(万元)", "has_skill_sequence": "技能岗位序列",
        },
        TEN_THOUSAND,
        names_counties=True,
    ),
    COUNTY: Layout(
        "counties",
        ("县属企业工资总额表（合成数据）",),
        ("单位基本情况", None, None, "人员", None, "工资(元)", None, "制度"),
        ("A1:H1", "A2:C2", "D2:E2", "F2:G2"),
        {
            "uscc": "统一代码", "county_code": "县(市、区)", "in_scope": "在范围内", "average_staff": "平均职工",
            "high_skilled_staff": "其中高技能", "wage_bill_cny": "总额", "high_skilled_wage_cny": "其中高技能",
            "has_skill_sequence": "技能序列绩效工资",
        },
        1,
        names_counties=True,
    ),
}  # fmt: skip


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        required_kind("uscc"),
        required_kind("county_code"),
        required_kind("wage_bill_cny"),
        Kind("uscc_pattern", ("uscc_pattern",), each_text("uscc", lambda text: text[:-1]), ANY),
        Kind("county_abroad", ("county_code_valid",), put(county_code="上海市"), ANY),
        Kind("scope_in_doubt", ("in_scope_type",), put(in_scope="部分"), ANY),
        Kind("staff_no_number", ("average_staff_type",), put(average_staff="若干"), ANY),
        Kind("skilled_beyond_all", ("staff_within_all",), put(high_skilled_staff="450000"), ANY, 2),
        Kind(
            "skilled_paid_beyond_all", ("wage_within_bill",),
            put(high_skilled_wage_cny=pl.format("9{}", pl.col("wage_bill_cny").str.split(".").list.first())), ANY, 2,
        ),
        Kind("staff_full_width", (), full_width("average_staff"), ANY, 1, "full_width"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(average_staff="400000"), ANY, 1, "", "conflict"),
    ]  # fmt: skip


def payrolls(scene: Scene) -> pl.DataFrame:
    """Every return, typed: one row an enterprise and year; amounts in yuan, hundreds of them where sent in 万元."""
    rng = scene.stream(NAME, 1)
    employers = scene.people.employers
    in_hangzhou = pl.Series([code.startswith("3301") for code in areas.load().codes])
    central = employers["county"].is_in(in_hangzhou.arg_true().implode())
    chosen = []
    for level, number in NUMBERS.items():
        able = employers.filter(central) if level == PROVINCE else employers.filter(~central)
        # Each level takes its own, so that no enterprise stands in two workbooks.
        able = able.filter((pl.col("employer") % 2) == (0 if level == CITY else 1)) if level != PROVINCE else able
        picked = able[np.sort(rng.permutation(len(able))[:number])]
        chosen.append(picked.select("uscc", "county", owner_level=pl.lit(level)))
    firms = pl.concat(chosen)
    number = len(firms)
    firms = firms.with_columns(
        firm=pl.int_range(number),
        in_scope=pl.Series(rng.random(number) < SHARE_IN_SCOPE),
        sequence_since=pl.Series(
            np.where(rng.random(number) < SHARE_WITH_SEQUENCE, rng.integers(2022, 2027, number), 9999)
        ),
        staff=pl.Series(np.round(np.exp(rng.normal(5.6, 0.9, number))).astype(int) + 30),
        skilled_share=pl.Series(rng.uniform(0.05, 0.35, number)),
        pay=pl.Series(rng.uniform(90_000, 190_000, number)),
        premium=pl.Series(rng.uniform(1.0, 1.25, number)),
    )
    returns = []
    for year in years(scene.horizon):
        offset = year.first.year - 2024
        standing = pl.Series(rng.random(number) >= SHARE_OF_ONE_YEAR)
        growth = pl.Series(1.0 + 0.04 * offset + rng.normal(0, 0.02, number) * offset)
        more = pl.Series(1.0 + 0.015 * offset + rng.normal(0, 0.01, number) * offset)
        counted = firms.with_columns(
            year=pl.lit(year.key),
            average_staff=pl.col("staff") + 3 * offset,
            has_skill_sequence=pl.col("sequence_since") <= year.first.year,
            _pay=pl.col("pay") * growth,
            _more=pl.col("premium") * more,
        ).with_columns(high_skilled_staff=(pl.col("average_staff") * pl.col("skilled_share")).round().cast(pl.Int64))
        returns.append(counted.filter(standing))
    rounded = 100
    return pl.concat(returns).with_columns(
        wage_bill_cny=(pl.col("average_staff") * pl.col("_pay") / rounded).round().cast(pl.Int64) * rounded,
        high_skilled_wage_cny=(
            (pl.col("high_skilled_staff") * pl.col("_pay") * pl.col("_more")).clip(
                upper_bound=0.9 * pl.col("average_staff") * pl.col("_pay")
            )
            / rounded
        )
        .round()
        .cast(pl.Int64)
        * rounded,
    )


def as_sent(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The returns of one year and level, as text in the layout's unit; `_key` tells them apart over the years."""
    area = areas.load()
    counties = dict(enumerate(area.names if layout.names_counties else area.codes))

    def said(column: str) -> pl.Expr:
        if layout.unit == 1:
            return pl.col(column).cast(pl.String)
        hundredths = (pl.col(column) % layout.unit // 100).cast(pl.String).str.zfill(2)
        return pl.format("{}.{}", pl.col(column) // layout.unit, hundredths)

    yes_no = {
        name: pl.when(name).then(pl.lit("是")).otherwise(pl.lit("否")) for name in ("in_scope", "has_skill_sequence")
    }
    return frame.select(
        uscc="uscc",
        county_code=pl.col("county").replace_strict(counties, return_dtype=pl.String),
        **yes_no,
        wage_bill_cny=said("wage_bill_cny"),
        high_skilled_wage_cny=said("high_skilled_wage_cny"),
        average_staff=pl.col("average_staff").cast(pl.String),
        high_skilled_staff=pl.col("high_skilled_staff").cast(pl.String),
        _key="uscc",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """Three workbooks a year; the same enterprises are dirty in each, so that a refused one is never half known."""
    every = payrolls(scene)
    accepted = []
    for order, (level, layout) in enumerate(LAYOUTS.items()):
        of_level = every.filter(pl.col("owner_level") == level)
        once = as_sent(of_level.unique("uscc", keep="last", maintain_order=True), layout)
        plan = spoil(once, kinds(), scene.parameters.dirt, scene.stream(NAME, order + 2))
        kind_of = kinds_by(plan, "_key")
        accepted.append(not_refused(of_level, plan.rename({"_key": "_uscc"}), "uscc"))
        for year in years(scene.horizon):
            sent = as_sent(of_level.filter(pl.col("year") == year.key), layout)
            rows = apply_plan(sent, kinds(), kind_of, "_key")
            yield Consignment(Due(year.last, year.key, layout.part), rows, _files(year, layout))
    scene.accepted[NAME] = pl.concat(accepted)


def _files(year: Span, layout: Layout) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        name = f"soe_payroll_{year.key}_{layout.part}.xlsx"
        return [File(name, lambda path: write_workbook(rows, [_sheet(rows, layout)], path), pl.col("_key"))]

    return files


def _sheet(rows: pl.DataFrame, layout: Layout) -> Sheet:
    """Titles, the header, data, and a last 合计 row."""
    lines = [Line([title]) for title in layout.titles]
    if layout.groups:
        lines.append(Line(list(layout.groups)))
    lines.append(Line(list(layout.header.values())))
    for number, row in enumerate(rows.select(*layout.header).iter_rows(named=True)):
        lines.append(Line([_cell(name, row[name], number) for name in layout.header], is_data=True))
    lines.append(Line(["合计", f"{len(rows)}家"]))
    return Sheet("工资总额", lines, merged=layout.merged)


def _cell(name: str, text: str, number: int) -> Cell:
    """Numbers are numbers, some of them text."""
    if name.endswith("_staff"):
        return excel_number(text, as_text=number % 17 == 0)
    if name.endswith("_cny") and number % 17:
        return excel_amount(text)
    return text or None


def dues(last: date) -> list[Due]:
    """A workbook of each level every year."""
    return [Due(year.last, year.key, layout.part) for year in years(last) for layout in LAYOUTS.values()]


FEED = Feed(NAME, Drop(), make, dues)
