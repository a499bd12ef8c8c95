"""The roster of skill enterprises (hrss/skill_enterprises): a full list a quarter, as an Excel workbook. Not scaled."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from openpyxl import Workbook

from sandbox import areas, identifiers
from sandbox.population import NOT_A_DATE

EVER_RECOGNISED = 7_200
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
# First index of USCCs that no employer of the population has.
FIRST_INDEX = 5_000_000


def generate(seed: int) -> pl.DataFrame:
    """All enterprises ever recognised by 2026-06-30, with county index and dates."""
    rng = np.random.default_rng([seed, 88])
    area = areas.load()
    county = rng.choice(len(area.codes), EVER_RECOGNISED, p=area.weight)
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
        ],
        dtype="datetime64[D]",
    )
    chosen = rng.choice(len(rounds), EVER_RECOGNISED, p=[0.09, 0.12, 0.14, 0.15, 0.14, 0.13, 0.12, 0.11])
    recognised = rounds[chosen]
    revoked = np.where(
        rng.random(EVER_RECOGNISED) < 0.02, recognised + rng.integers(100, 700, EVER_RECOGNISED), NOT_A_DATE
    )
    revoked = np.where(revoked > np.datetime64("2026-06-30"), NOT_A_DATE, revoked)
    employees = np.round(np.exp(rng.normal(5.2, 0.9, EVER_RECOGNISED))).astype(int) + 20
    return pl.DataFrame(
        {
            "number": np.arange(EVER_RECOGNISED),
            "uscc": identifiers.social_credit_codes(np.arange(EVER_RECOGNISED) + FIRST_INDEX),
            "county": county,
            "recognised": recognised,
            "round": chosen + 1,
            "revoked": revoked,
            "employees": employees,
            "skilled_employees": np.round(employees * rng.uniform(0.2, 0.7, EVER_RECOGNISED)).astype(int),
        }
    ).sort("county", "recognised", "number")


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


def write(rows: pl.DataFrame, path: Path, quarter_end: date) -> pl.DataFrame:
    """Write the workbook with title, note, two-row header, 小计 rows and 合计.

    Returns `rows` with the Excel row of each (`_row`).
    """
    # Streamed rather than held: faster, and flat in memory.
    book = Workbook(write_only=True)
    sheet = book.create_sheet("技能型企业名册")
    sheet.append(["浙江省技能型企业名册"])
    sheet.append([f"统计截止{quarter_end.year}年{quarter_end.month}月{quarter_end.day}日（合成数据，非真实企业）"])
    sheet.append(list(HEADER_GROUPS))
    sheet.append(list(HEADER_NAMES))
    for cells in ("A1:L1", "A2:L2", "A3:A4", "B3:C3", "D3:F3", "G3:J3", "K3:L3"):
        sheet.merged_cells.add(cells)
    places: list[int] = []
    line, total, in_city, city = 4, 0, 0, ""
    number = -1
    for row in rows.select(*COLUMNS, "_kind").iter_rows(named=True):
        # A row pasted twice carries its 序号 twice.
        number += row["_kind"] != "exact_duplicate"
        if city and row["city_name"] != city:
            line += 1
            sheet.append(["小计", f"{city}小计", in_city])
            in_city = 0
        city = row["city_name"]
        line += 1
        sheet.append([number + 1, *(_cell(name, row[name], number) for name in COLUMNS)])
        places.append(line)
        in_city += 1
        total += 1
    sheet.append(["小计", f"{city}小计", in_city])
    sheet.append(["合计", "", total])
    sheet.append(["注：本表为合成数据，仅供试运行"])
    book.save(path)
    return rows.with_columns(_row=pl.Series(places, dtype=pl.Int64))


def _cell(name: str, text: str, number: int) -> str | int | date | None:
    """Excel cell of a text: counts are mostly numbers, some text; plain dates are real dates for every third row."""
    if text == "":
        return None
    if name in ("employees", "skilled_employees") and text.isascii() and text.isdigit():
        return text if number % 97 == 0 else int(text)
    if name in ("recognised_on", "revoked_on"):
        if text.isascii() and text.isdigit() and len(text) == 5:
            return int(text)
        if number % 3 == 0 and len(text) == 10 and text[4] == "-" and text != "2025-02-30" and text.isascii():
            return date.fromisoformat(text)
    return text
