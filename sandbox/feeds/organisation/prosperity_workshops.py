"""organisation/prosperity_workshops (共富工坊): a full list a quarter, an Excel workbook with one sheet a county.

The sheet's name is the county's name, now and then one of old. Not scaled beyond the default size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, quarters
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import apply_plan, kinds_by, not_refused, spoil
from sandbox.feeds.model import Consignment, Drop, Due, Feed, File, Scene
from sandbox.feeds.texts import day, said, written
from sandbox.population.codes import NOT_A_DATE, days
from sandbox.writers.workbook import Cell, Line, Sheet, excel_date, excel_number, write_workbook

NAME = "organisation/prosperity_workshops"
HEADER = {
    "workshop_id": "工坊编号", "workshop_name": "工坊名称", "township_name": "所在乡镇(街道)", "kind": "工坊类型",
    "uscc": "参建企业统一社会信用代码", "established_on": "建成日期", "status": "运行状态", "closed_on": "停办日期",
    "workers": "吸纳就业人数(人)", "monthly_gain_yuan": "人均月增收(元)", "last_training_on": "最近培训日期",
}  # fmt: skip
KINDS = ("定向招工式", "来料加工式", "电子商务式", "农旅融合式", "品牌带动式", "产业赋能式")
EVER_ESTABLISHED = 1_800
# Sheets under a name of old or of a zone, until a department renewed its workbook: name, county, last quarter.
OLD_NAMES = (
    ("下城区", "330105", date(2025, 3, 31)),
    ("江干区", "330102", date(2025, 6, 30)),
    ("临安市", "330112", date(2024, 12, 31)),
    ("奉化市", "330213", date(2025, 9, 30)),
    ("玉环县", "331083", date(2024, 9, 30)),
    ("金义新区", "330703", date(2026, 12, 31)),
)
# This name has two successors: nobody can tell which county its rows belong to.
SPLIT = "江干区"
SPLIT_ON = date(2021, 4, 9)


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    number = pl.col("workers").str.contains(r"^\d+$")
    closed = pl.col("status") == "停办"
    return [
        *date_kinds("established_on"),
        required_kind("workshop_id"),
        required_kind("established_on"),
        Kind("workshop_id_pattern", ("workshop_id_pattern",), each_text("workshop_id", lambda text: text[:-1]), ANY),
        code_kind("kind", "其他"),
        code_kind("status", "在建"),
        Kind("closed_without_day", ("closed_required",), put(status="停办", closed_on=""), ~closed),
        Kind("closed_before_built", ("dates_in_order",), put(status="停办", closed_on="2015-01-01"), ANY),
        Kind("workers_no_number", ("workers_type",), put(workers="若干"), ANY),
        Kind("workers_beyond_bound", ("workers_range",), put(workers="50000"), ANY),
        Kind("workers_full_width", (), full_width("workers"), number, 1, "full_width"),
        *missing_word_kinds("uscc"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), filled("uscc")),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind(
            "conflicting_duplicate", ("key_unique",), put(workers="777", _sheet=pl.col("_other_sheet")),
            ANY, 2, "", "conflict",
        ),
    ]  # fmt: skip


def workshops(scene: Scene) -> pl.DataFrame:
    """All workshops ever established, typed."""
    rng = np.random.default_rng([scene.parameters.seed, 92])
    area, number = areas.load(), scene.parameters.listed(EVER_ESTABLISHED)
    # Counties of the north-east have the most; a few have none.
    weight = np.where(np.arange(len(area.codes)) % 23 == 22, 0.0, 0.4 * area.weight + 0.6 / len(area.codes))
    county = rng.choice(len(area.codes), number, p=weight / weight.sum())
    established = days(rng, "2019-01-01", str(scene.horizon), number)
    closed = established + rng.integers(200, 2_000, number)
    closed = np.where((rng.random(number) < 0.08) & (closed <= np.datetime64(scene.horizon)), closed, NOT_A_DATE)
    employers = scene.people.employers["uscc"].to_numpy()
    return pl.DataFrame(
        {
            "number": np.arange(1, number + 1),
            "county": county,
            "township": rng.integers(1, 17, number),
            "kind": rng.choice(np.array(KINDS), number, p=[0.2, 0.3, 0.12, 0.2, 0.06, 0.12]),
            "uscc": np.where(rng.random(number) < 0.75, employers[rng.integers(0, len(employers), number)], ""),
            "established": established,
            "closed": closed,
            "workers": np.round(np.exp(rng.normal(3.6, 0.8, number))).astype(int) + 5,
            "gain": np.round(rng.uniform(400, 2_800, number), -1).astype(int),
            "has_gain": rng.random(number) < 0.85,
            "bound": rng.choice(np.array(["", "近", "余"]), number, p=[0.76, 0.12, 0.12]),
            "trains_every": rng.integers(60, 500, number),
            "keeps_old_name": rng.random(number) < 0.5,
        }
    ).sort("county", "number")


def as_listed(frame: pl.DataFrame, last: date, *, has_split: bool) -> pl.DataFrame:
    """The list as at `last`, as text; `_sheet` is the sheet that each row stands on, `has_split` adds the wrong one."""
    area = areas.load()
    name = pl.col("county").replace_strict(dict(enumerate(area.names)), return_dtype=pl.String)
    sheet = name
    for old, code, until in OLD_NAMES:
        if last <= until and (has_split or old != SPLIT):
            moved = (pl.col("county") == area.codes.index(code)) & pl.col("keeps_old_name")
            if old == SPLIT:
                moved &= pl.col("established") < SPLIT_ON
            sheet = pl.when(moved).then(pl.lit(old)).otherwise(sheet)
    is_closed = pl.col("closed").is_not_null() & (pl.col("closed") <= last)
    held = (pl.lit(last) - pl.col("established")).dt.total_days() // pl.col("trains_every")
    trained = pl.col("established") + pl.duration(days=held * pl.col("trains_every"))
    other = pl.when(pl.col("county") == 0).then(pl.lit(area.names[1])).otherwise(pl.lit(area.names[0]))
    return (
        frame.filter(pl.col("established") <= last)
        .with_columns(trained=pl.when(held > 0).then(trained))
        .select(
            workshop_id=pl.format("GF{}", pl.col("number").cast(pl.String).str.zfill(8)),
            workshop_name=pl.format("合成工坊{}号", pl.col("number")),
            township_name=pl.format("合成{}镇", pl.col("township")),
            kind="kind",
            uscc="uscc",
            established_on=day("established"),
            status=pl.when(is_closed).then(pl.lit("停办")).otherwise(pl.lit("运行")),
            closed_on=pl.when(is_closed).then(day("closed")).otherwise(pl.lit("")),
            workers=said(pl.col("workers"), pl.col("bound")),
            monthly_gain_yuan=pl.when("has_gain").then(said(pl.col("gain"), pl.col("bound"))).otherwise(pl.lit("")),
            last_training_on=day("trained"),
            _name=pl.format("合成工坊{}号", pl.col("number")),
            _sheet=sheet,
            _other_sheet=other,
        )
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One workbook a quarter; the same workshops are dirty in each, so that a refused one is never half known."""
    every = workshops(scene)
    known = quarters(scene.horizon)

    def listed_at(quarter: Span) -> pl.DataFrame:
        return as_listed(every, quarter.last, has_split=scene.parameters.dirt > 0)

    # What may stand under the split name is refused for that alone.
    ever_split = listed_at(known[0]).filter(pl.col("_sheet") == SPLIT)["_name"].to_list()
    last = listed_at(known[-1])
    plan = spoil(last, kinds(), scene.parameters.dirt, scene.stream(NAME), ~pl.col("_name").is_in(ever_split))
    kind_of = kinds_by(plan, "_name")
    order = {name: place for place, name in enumerate([*(name for name, _, _ in OLD_NAMES), *areas.load().names])}
    accepted = []
    for quarter in known:
        listed = apply_plan(listed_at(quarter), kinds(), kind_of, "_name")
        on_split = pl.col("_sheet") == SPLIT
        rows = listed.with_columns(
            _kind=pl.when(on_split).then(pl.lit("sheet_of_split_county")).otherwise("_kind"),
            _rules=pl.when(on_split).then(pl.lit("county_code_valid")).otherwise("_rules"),
        ).sort(pl.col("_sheet").replace_strict(order, return_dtype=pl.Int64), maintain_order=True)
        accepted.append(not_refused(as_reported(every, quarter.last), rows, "name"))
        yield Consignment(Due(quarter.last, quarter.key), rows, _files(quarter))
    scene.accepted[NAME] = pl.concat(accepted)


def as_reported(frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """What the list as at `last` says, typed; numbers that are said with a bound as the number that is written."""
    held = (pl.lit(last) - pl.col("established")).dt.total_days() // pl.col("trains_every")
    trained = pl.col("established") + pl.duration(days=held * pl.col("trains_every"))
    return frame.filter(pl.col("established") <= last).select(
        "number", "county", "kind", "uscc",
        name=pl.format("合成工坊{}号", pl.col("number")),
        listed_on=pl.lit(last),
        is_running=pl.col("closed").is_null() | (pl.col("closed") > last),
        workers=written(pl.col("workers"), pl.col("bound")),
        gain=pl.when("has_gain").then(written(pl.col("gain"), pl.col("bound"))),
        trained=pl.when(held > 0).then(trained),
    )  # fmt: skip


def _files(quarter: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        name = f"prosperity_workshops_{quarter.key}.xlsx"
        return [File(name, lambda path: write_workbook(rows, _sheets(rows, quarter.last), path), pl.col("_name"))]

    return files


def _sheets(rows: pl.DataFrame, last: date) -> list[Sheet]:
    """A page of explanations, one sheet a county, and the hidden lists of the drop-downs."""
    said = [
        "共富工坊名册填报说明",
        f"统计截止{last.year}年{last.month}月{last.day}日（合成数据，非真实工坊）",
        "每个县(市、区)一张表，表名为县(市、区)名称；无工坊的也要报表，列0家。",
    ]
    sheets = [Sheet("说明", [Line([text]) for text in said])]
    listed_on = {str(name): listed for (name,), listed in rows.group_by("_sheet", maintain_order=True)}
    nothing = rows.clear()
    names = [*listed_on, *(name for name in areas.load().names if name not in listed_on)]
    sheets += [_county_sheet(name, listed_on.get(name, nothing)) for name in names]
    lists: list[Line] = [Line(["工坊类型", "运行状态"])]
    states = ["运行", "停办"]
    lists += [Line([kind, states[place] if place < len(states) else None]) for place, kind in enumerate(KINDS)]
    return [*sheets, Sheet("字典", lists, state="hidden")]


def _county_sheet(name: str, listed: pl.DataFrame) -> Sheet:
    """Title, header, data, and a last 合计 row."""
    lines = [Line([f"{name}共富工坊名册"]), Line(["序号", *HEADER.values()])]
    for number, row in enumerate(listed.select(*HEADER).iter_rows(named=True), 1):
        lines.append(Line([number, *(_cell(column, row[column], number) for column in HEADER)], is_data=True))
    lines.append(Line(["合计", None, f"{len(listed)}家"]))
    return Sheet(name, lines, merged=("A1:L1",))


def _cell(column: str, text: str, number: int) -> Cell:
    """Counts are mostly numbers, some of them text; every second plain date is a real one."""
    if column in ("workers", "monthly_gain_yuan"):
        return excel_number(text, as_text=number % 13 == 0)
    if column.endswith("_on"):
        return excel_date(text, as_date=number % 2 == 0)
    return text or None


FEED = Feed(NAME, Drop(), make, lambda last: [Due(quarter.last, quarter.key) for quarter in quarters(last)])
