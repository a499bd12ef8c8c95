"""hrss/skill_enterprises (技能型企业名册): a full list a quarter, an Excel workbook in the drop folder.

Not scaled beyond the default size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas, identifiers
from sandbox.calendar import HORIZON, Span, quarters
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    flip_last,
    full_width,
    put,
    required_kind,
)
from sandbox.dirt.spoil import apply_plan, kinds_by, not_refused, spoil
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.population.codes import NOT_A_DATE
from sandbox.writers.workbook import Cell, Line, Sheet, excel_date, excel_number, write_workbook

NAME = "hrss/skill_enterprises"
EVER_RECOGNISED = 8_000
HEADER_GROUPS = ("序号", "企业信息", "", "所在地", "", "", "认定情况", "", "", "", "职工情况", "")
HEADER_NAMES = (
    "", "企业名称", "统一社会信用代码", "设区市", "县(市、区)", "行政区划代码",
    "认定日期", "认定批次", "状态", "撤销日期", "职工总数", "技能人才数",
)  # fmt: skip
COLUMNS = (
    "enterprise_name", "uscc", "city_name", "county_name", "county_code", "recognised_on", "recognition_round",
    "status",
    "revoked_on", "employees", "skilled_employees",
)  # fmt: skip
# First index of the USCCs of enterprises that are no employers of the population.
FIRST_INDEX = 5_000_000
SHARE_LISTED_TWICE = 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("recognised_on"),
        required_kind("uscc"),
        code_kind("status", "认定"),
        Kind("skilled_beyond_all", ("skilled_within_employees",), put(skilled_employees="999999"), ANY, 2),
        Kind("employees_no_number", ("employees_type",), put(employees="约300"), ANY),
        Kind("employees_full_width", (), full_width("employees"), ANY, 1, "full_width"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(employees="77777"), ANY, 1, "", "conflict"),
    ]


def generate(seed: int, number: int) -> pl.DataFrame:
    """So many enterprises, all that were ever recognised, with county index and dates."""
    rng = np.random.default_rng([seed, 88])
    area = areas.load()
    county = rng.choice(len(area.codes), number, p=area.weight)
    # Recognition comes in rounds, two a year; a bit more than half of them before the window.
    rounds = np.array(
        [
            "2022-11-15",
            "2023-05-20",
            "2023-11-20",
            "2024-05-22",
            "2024-11-20",
            "2025-05-21",
            "2025-11-19",
            "2026-05-20",
            "2026-11-18",
        ],
        dtype="datetime64[D]",
    )
    chosen = rng.choice(len(rounds), number, p=[0.08, 0.11, 0.13, 0.13, 0.13, 0.12, 0.1, 0.1, 0.1])
    recognised = rounds[chosen]
    revoked = np.where(rng.random(number) < 0.02, recognised + rng.integers(100, 700, number), NOT_A_DATE)
    revoked = np.where(revoked > np.datetime64(HORIZON), NOT_A_DATE, revoked)
    employees = np.round(np.exp(rng.normal(5.2, 0.9, number))).astype(int) + 20
    return pl.DataFrame(
        {
            "number": np.arange(number),
            "uscc": identifiers.social_credit_codes(np.arange(number) + FIRST_INDEX),
            "county": county,
            "recognised": recognised,
            "round": chosen + 1,
            "revoked": revoked,
            "employees": employees,
            "skilled_employees": np.round(employees * rng.uniform(0.2, 0.7, number)).astype(int),
        }
    ).sort("county", "recognised", "number")


def with_employers(enterprises: pl.DataFrame, employers: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The same enterprises; every second one of a county is an employer of the population, as long as there are any."""
    shuffled = employers.select("county", employer="uscc")[rng.permutation(len(employers))]
    known = shuffled.with_columns(place=2 * pl.int_range(pl.len()).over("county"))
    placed = enterprises.with_columns(place=pl.int_range(pl.len()).over("county"))
    return (
        placed.join(known, on=["county", "place"], how="left", maintain_order="left")
        .with_columns(uscc=pl.coalesce("employer", "uscc"))
        .drop("employer", "place")
    )


def listed_twice(enterprises: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Those that a county of another city lists as well, a round later and under the name of a branch."""
    cities = np.array(areas.load().city_names)
    chosen = enterprises.filter(pl.Series(rng.random(len(enterprises)) < SHARE_LISTED_TWICE))
    other = rng.integers(0, len(cities), len(chosen))
    again = chosen.with_columns(
        number=pl.col("number") + len(enterprises),
        county=pl.Series(other),
        recognised=pl.col("recognised") + pl.duration(days=182),
        round=pl.col("round") + 1,
        revoked=pl.lit(None, pl.Date),
    )
    return again.filter(pl.Series(cities[other] != cities[chosen["county"].to_numpy()]))


def as_listed(roster: pl.DataFrame, quarter_end: date) -> pl.DataFrame:
    """The list as at `quarter_end`, as text in canonical columns."""
    area = areas.load()
    text = {
        name: dict(enumerate(values))
        for name, values in (("code", area.codes), ("name", area.names), ("city", area.city_names))
    }
    is_revoked = pl.col("revoked").is_not_null() & (pl.col("revoked") <= quarter_end)
    return roster.filter(pl.col("recognised") <= quarter_end).select(
        enterprise_name=pl.format("合成企业{}号", pl.col("number") + 1),
        uscc="uscc",
        city_name=pl.col("county").replace_strict(text["city"], return_dtype=pl.String),
        county_name=pl.col("county").replace_strict(text["name"], return_dtype=pl.String),
        county_code=pl.col("county").replace_strict(text["code"], return_dtype=pl.String),
        recognised_on=pl.col("recognised").dt.strftime("%Y-%m-%d"),
        recognition_round=pl.format("第{}批", pl.col("round")),
        status=pl.when(is_revoked).then(pl.lit("已撤销")).otherwise(pl.lit("已认定")),
        revoked_on=pl.when(is_revoked).then(pl.col("revoked").dt.strftime("%Y-%m-%d")).otherwise(pl.lit("")),
        employees=pl.col("employees").cast(pl.String),
        skilled_employees=pl.col("skilled_employees").cast(pl.String),
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter.

    The same enterprises are dirty in every quarter, so that a refused one is never half known.
    """
    generated = generate(scene.parameters.seed, scene.parameters.listed(EVER_RECOGNISED))
    once = with_employers(generated, scene.people.employers, scene.stream(NAME, 1))
    twice = listed_twice(once, scene.stream(NAME, 2)).cast(once.schema)
    enterprises = pl.concat([once, twice]).sort("county", "recognised", "number")
    known = quarters(scene.horizon)
    names = as_listed(enterprises, known[-1].last)
    plan = spoil(names, kinds(), scene.parameters.dirt, scene.stream(NAME))
    # Which enterprise gets which kind is settled on the last list (by name: the code itself may be spoilt).
    kind_of = kinds_by(plan, "enterprise_name")
    for quarter in known:
        listed = apply_plan(as_listed(enterprises, quarter.last), kinds(), kind_of, "enterprise_name")
        yield Consignment(Due(quarter.last, quarter.key), listed, _files(quarter))
    named = enterprises.with_columns(name=pl.format("合成企业{}号", pl.col("number") + 1))
    scene.accepted[NAME] = not_refused(named, plan.with_columns(_name="enterprise_name"), "name").drop("name")


def _files(quarter: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        name = f"skill_enterprises_{quarter.key}.xlsx"
        return [
            File(name, lambda path: write_workbook(rows, [_sheet(rows, quarter.last)], path), pl.col("enterprise_name"))
        ]

    return files


def _sheet(rows: pl.DataFrame, last: date) -> Sheet:
    """Title, note, a header of two rows, a 小计 row after each city, a last 合计 row and a note."""
    said = f"统计截止{last.year}年{last.month}月{last.day}日（合成数据，非真实企业）"
    lines: list[Line] = [
        Line(["浙江省技能型企业名册"]), Line([said]), Line(list(HEADER_GROUPS)), Line(list(HEADER_NAMES))
    ]  # fmt: skip
    total, in_city, city = 0, 0, ""
    number = -1
    for row in rows.select(*COLUMNS, "_kind").iter_rows(named=True):
        # A row pasted twice carries its 序号 twice.
        number += row["_kind"] != "exact_duplicate"
        if city and row["city_name"] != city:
            lines.append(Line(["小计", f"{city}{in_city}家"]))
            in_city = 0
        city = row["city_name"]
        lines.append(Line([number + 1, *(_cell(name, row[name], number) for name in COLUMNS)], is_data=True))
        in_city += 1
        total += 1
    lines += [
        Line(["小计", f"{city}{in_city}家"]),
        Line(["合计", f"{total}家"]),
        Line(["注：本表为合成数据，仅供试运行"]),
    ]
    return Sheet("技能型企业名册", lines, merged=("A1:L1", "A2:L2", "A3:A4", "B3:C3", "D3:F3", "G3:J3", "K3:L3"))


def _cell(name: str, text: str, number: int) -> Cell:
    """Counts are mostly numbers, some of them text; every third plain date is a real one."""
    if name in ("employees", "skilled_employees"):
        return excel_number(text, as_text=number % 97 == 0)
    if name in ("recognised_on", "revoked_on"):
        return excel_date(text, as_date=number % 3 == 0)
    return text or None


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
