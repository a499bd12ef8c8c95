"""industry/affected_enterprises (受外部冲击明显企业名单): a full list a quarter, an Excel workbook of two sheets.

The list of industry and that of foreign trade; some entries have no unified social credit code. Not scaled beyond the
default size. Enterprises are employers of the population.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    put,
    required_kind,
)
from sandbox.feeds.lists import Listing, workbooks
from sandbox.feeds.model import Consignment, Drop, Due, Feed, Scene
from sandbox.feeds.texts import day
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Cell, Line, Sheet, excel_date

NAME = "industry/affected_enterprises"
HEADER = {
    "entry_id": "名单编号", "enterprise_name": "企业名称", "uscc": "统一社会信用代码", "valid_from": "列入日期",
    "valid_until": "移出日期",
}  # fmt: skip
EVER_LISTED = 600
SHEETS = {"GY": "工业", "WM": "外贸"}
SHARE_WITHOUT_CODE, SHARE_AGAIN, SHARE_REMOVED = 0.08, 0.1, 0.5
WORDS_FOR_NO_CODE = ("", "待补", "无")


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *date_kinds("valid_from"),
        required_kind("entry_id"),
        required_kind("valid_from"),
        required_kind("enterprise_name"),
        Kind("entry_id_pattern", ("entry_id_pattern",), each_text("entry_id", lambda text: text[:-1]), ANY),
        Kind("code_cut_short", ("uscc_pattern",), each_text("uscc", lambda text: text[:15]), _has_code(), 2),
        Kind("removed_before_listed", ("dates_in_order",), put(valid_until="2015-01-01"), ANY),
        Kind("entry_full_width", (), full_width("entry_id"), ANY, 1, "full_width"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), _has_code(), 2),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(enterprise_name="另一企业"), ANY, 2, "", "conflict"),
    ]


def _has_code() -> pl.Expr:
    return filled("uscc") & ~pl.col("uscc").is_in(WORDS_FOR_NO_CODE)


def affected_enterprises(scene: Scene) -> pl.DataFrame:
    """All spells on the lists, typed; `uscc` is missing for entries that match nobody, `valid_until` the last day."""
    rng = scene.stream(NAME, 1)
    employers = scene.people.employers["uscc"].to_numpy()
    number = min(scene.parameters.listed(EVER_LISTED), len(employers))
    begun = days(rng, "2023-10-01", str(scene.horizon), number)
    left = begun + rng.integers(60, 500, number)
    removed = (rng.random(number) < SHARE_REMOVED) & (left <= np.datetime64(scene.horizon))
    lists = rng.choice(np.array(list(SHEETS)), number, p=[0.6, 0.4])
    first = pl.DataFrame(
        {
            "number": np.arange(1, number + 1),
            "of_list": lists,
            "uscc": np.where(
                rng.random(number) < SHARE_WITHOUT_CODE, "", employers[rng.permutation(len(employers))[:number]]
            ),
            "word": rng.choice(np.array(WORDS_FOR_NO_CODE), number),
            "valid_from": begun,
            "valid_until": np.where(removed, left, NOT_A_DATE),
        }
    )
    # Some come back under the same number.
    back = first["valid_until"].to_numpy() + rng.integers(30, 200, number)
    again = (rng.random(number) < SHARE_AGAIN) & removed & (back <= np.datetime64(scene.horizon))
    second = first.with_columns(valid_from=pl.Series(back), valid_until=pl.lit(None, pl.Date)).filter(pl.Series(again))
    return (
        pl.concat([first, second])
        .sort("of_list", "number", "valid_from")
        .with_columns(
            uscc=pl.when(pl.col("uscc") != "").then("uscc"),
            entry=pl.concat_str(_entry_id(), day("valid_from"), separator="|"),
        )
    )


def _entry_id() -> pl.Expr:
    return pl.format("{}{}", "of_list", pl.col("number").cast(pl.String).str.zfill(6))


def as_listed(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """The lists as at `last`, as text; `entry` tells their rows apart, `_sheet` says where each stands."""
    removed = pl.col("valid_until") <= last
    return frame.filter(pl.col("valid_from") <= last).select(
        entry_id=_entry_id(),
        enterprise_name=pl.format("合成企业{}号", "number"),
        uscc=pl.col("uscc").fill_null(pl.col("word")),
        valid_from=day("valid_from"),
        valid_until=pl.when(removed).then(day("valid_until")).otherwise(pl.lit("")),
        _sheet=pl.col("of_list").replace_strict(SHEETS, return_dtype=pl.String),
        entry="entry",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter; the same entries are dirty in each, so that a refused one is never half known."""
    listing = Listing(NAME, affected_enterprises(scene), kinds(), as_listed)
    yield from workbooks(scene, listing, quarters(scene.horizon), _sheets)


def _sheets(rows: pl.DataFrame, quarter: Span) -> list[Sheet]:
    """A page of explanations, and one sheet a list with title, header, data and a last 合计 row."""
    last = quarter.last
    said = f"统计截止{last.year}年{last.month}月{last.day}日（合成数据，非真实企业）"
    sheets = [Sheet("填报说明", [Line(["受外部冲击明显企业名单"]), Line([said])])]
    for name in SHEETS.values():
        lines = [Line([f"受外部冲击明显企业名单（{name}）"]), Line(["序号", *HEADER.values()])]
        listed = rows.filter(pl.col("_sheet") == name)
        for number, row in enumerate(listed.select(*HEADER).iter_rows(named=True), 1):
            lines.append(Line([number, *(_cell(column, row[column], number) for column in HEADER)], is_data=True))
        lines.append(Line(["合计", f"{len(listed)}条"]))
        sheets.append(Sheet(name, lines, merged=("A1:F1",)))
    return sheets


def _cell(column: str, text: str, number: int) -> Cell:
    """Every second plain date is a real one."""
    return excel_date(text, as_date=number % 2 == 0) if column in ("valid_from", "valid_until") else text or None


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
