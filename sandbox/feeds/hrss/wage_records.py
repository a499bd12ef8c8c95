"""hrss/wage_records (职工缴费工资): a full month in parts on SFTP, and correction files that later months bring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from sandbox.calendar import FIRST_WAGE_MONTH, OPENING_DAY, Span, months
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    both,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    flip_last,
    full_width,
    identity_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, refused, spoil
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import amount, county_code, industry_code
from sandbox.population import wages
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "hrss/wage_records"
FIELDS = {
    "id_type": "证件类型", "resident_id": "证件号码", "employer_code": "单位编号", "uscc": "统一社会信用代码",
    "work_county_code": "参保地区划", "industry_code": "行业", "wage_month": "费款所属期", "scheme": "险种",
    "payment_type": "缴费类型", "wage_cny_month": "缴费工资", "unit": "金额单位", "base_limit": "封顶保底",
    "recorded_on": "业务日期", "correction_number": "更正序号", "operation": "操作",
}  # fmt: skip
LAYOUT = CsvLayout(FIELDS, encoding="gb18030", compressed=True, total=True)
# Delivery months that bring a correction file: the fourth, and then every third.
CORRECTION_EVERY, FIRST_CORRECTION = 3, 3
CORRECTION_SHARE = 0.004
CORRECTION = "correction"
# A row that was corrected before the month was sent stands there twice: the higher number counts.
NEWER, NEWER_CENTS = "corrected_in_place", 888_800
ROW_KEY = pl.concat_str("_person", "employer_code", "wage_month", "scheme", "payment_type", separator="|")
STANDING = ["person", "employer", "work", "industry", "wage_month", "scheme", "payment_type", "cents", "base_limit"]


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    yuan = pl.col("unit") == "元"
    return [
        *identity_kinds(),
        *county_kinds("work_county_code"),
        *date_kinds("recorded_on"),
        required_kind("employer_code"),
        required_kind("wage_cny_month"),
        code_kind("scheme", "999"),
        code_kind("payment_type", "05"),
        code_kind("industry_code", "Z"),
        Kind("month_missing_in_calendar", ("wage_month_type",), put(wage_month="202513"), ANY),
        Kind("ten_thousands_said_yuan", ("wage_unit_slip",), put(wage_cny_month="0.72"), yuan, 2),
        # 7200 万元 is both a slip of the unit and beyond the bound once it is normalised.
        Kind(
            "yuan_said_ten_thousands", ("wage_cny_month_range", "wage_unit_slip"),
            put(wage_cny_month="7200", unit="万元"), yuan,
        ),
        Kind("wage_beyond_bound", ("wage_cny_month_range",), put(wage_cny_month="250000"), yuan),
        Kind("wage_no_number", ("wage_cny_month_type",), put(wage_cny_month="待核"), ANY),
        Kind("wage_full_width", (), full_width("wage_cny_month"), ANY, 1, "full_width"),
        Kind("too_many_columns", ("row_shape",), put(operation="1,多余"), ANY),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        Kind(
            "two_faults", ("resident_id_check_digit", "scheme_code"),
            both(each_text("resident_id", wrong_check), put(scheme="999")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
        Kind(
            NEWER,
            (),
            put(wage_cny_month=f"{NEWER_CENTS / 100:.2f}", unit="元", correction_number="1"),
            ANY,
            1,
            "",
            "newer",
        ),
        Kind(
            "conflicting_duplicate", ("key_unique",),
            put(wage_cny_month="8888.88", unit="元"), yuan, 2, "", "conflict",
        ),
    ]  # fmt: skip


def as_sent(rows: pl.DataFrame) -> pl.DataFrame:
    """Wage rows as text in canonical columns, helper columns `_person`, `_work`, `_cents` kept."""
    return rows.select(
        "id_type",
        "resident_id",
        "employer_code",
        "uscc",
        work_county_code=county_code("work"),
        industry_code=industry_code("industry"),
        wage_month="wage_month",
        scheme="scheme",
        payment_type="payment_type",
        wage_cny_month=pl.when("reports_ten_thousands")
        .then(
            pl.format(
                "{}.{}", pl.col("cents") // 1_000_000, ((pl.col("cents") // 10_000) % 100).cast(pl.String).str.zfill(2)
            )
        )
        .otherwise(amount(pl.col("cents"))),
        unit=pl.when("reports_ten_thousands").then(pl.lit("万元")).otherwise(pl.lit("元")),
        base_limit="base_limit",
        recorded_on=pl.col("recorded").dt.strftime("%Y%m%d"),
        correction_number=pl.col("correction_number").cast(pl.String),
        operation=pl.when("withdrawn").then(pl.lit("0")).otherwise(pl.lit("1")),
        _person="person",
        _work="work",
        _cents="cents",
        _employer="employer",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """Month after month: original parts with their control file, and the correction file that it brings."""
    pending: dict[date, list[pl.DataFrame]] = {}
    window = months(scene.horizon, FIRST_WAGE_MONTH)
    carriers = window[FIRST_CORRECTION::CORRECTION_EVERY]
    for number, month in enumerate(window):
        clean = wages.month(scene.people, month.first, scene.parameters.seed)
        sent = as_sent(clean).with_columns(_position=pl.int_range(pl.len()))
        spoilt = spoil(sent, kinds(), scene.parameters.dirt, scene.stream(NAME, 1, number))
        bad = spoilt.filter(refused())["_position"]
        newer = spoilt.filter(pl.col("_kind") == NEWER)["_position"]
        position = pl.int_range(pl.len())
        kept = clean.with_columns(
            cents=pl.when(position.is_in(newer.implode())).then(NEWER_CENTS).otherwise("cents"),
            was_corrected=position.is_in(newer.implode()),
        ).filter(~position.is_in(bad.implode()))
        standing = _plan_corrections(kept, month, carriers, pending, scene.stream(NAME, 2, number))
        if scene.parameters.truth and month.last <= OPENING_DAY:
            standing.write_parquet(scene.truth_folder / f"{month.first:%Y%m}.parquet")
        yield _month(spoilt, month, scene.parameters.rows_per_part)
        corrections = pending.pop(month.first, [])
        if corrections:
            yield _correction(pl.concat(corrections), month)


def _plan_corrections(
    kept: pl.DataFrame,
    month: Span,
    carriers: list[Span],
    pending: dict[date, list[pl.DataFrame]],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Choose rows that a later delivery corrects or withdraws. Returns what stands on the opening day."""
    later = [carrier for carrier in carriers if carrier.first > month.first]
    if not later:
        return kept.select(STANDING)
    draw = pl.Series(rng.random(len(kept))).zip_with(~kept["was_corrected"], pl.ones(len(kept), eager=True))
    chosen = kept.filter(draw < CORRECTION_SHARE).with_row_index("_chosen")
    untouched = kept.filter(draw >= CORRECTION_SHARE).select(STANDING)
    changed = chosen.with_columns(
        cents=((pl.col("cents") * 1.1).cast(pl.Int64) // 10_000) * 10_000,
        withdrawn=pl.col("_chosen") % 5 == 0,
        correction_number=pl.lit(1),
    ).drop("_chosen")
    pending.setdefault(later[0].first, []).append(changed)
    standing = changed if later[0].last <= OPENING_DAY else chosen
    if len(later) > 1:
        # A few are corrected a second time, later.
        again = (
            changed.filter(~pl.col("withdrawn"))
            .gather_every(7)
            .with_columns(cents=pl.col("cents") + 20_000, correction_number=pl.lit(2))
        )
        pending.setdefault(later[1].first, []).append(again)
        if later[1].last <= OPENING_DAY:
            keys = ["person", "employer", "scheme", "payment_type"]
            standing = pl.concat([changed.join(again, on=keys, how="anti"), again])
    return pl.concat([untouched, standing.filter(~pl.col("withdrawn")).select(STANDING)])


def _month(rows: pl.DataFrame, month: Span, rows_per_part: int) -> Consignment:
    """The parts of a month, and last its control file."""
    stamp = f"{month.first:%Y%m}"

    def part(block: pl.DataFrame, name: str) -> File:
        return File(f"wage_records/{stamp}/{name}", lambda path: write_csv(block, path, LAYOUT), ROW_KEY)

    def files(rows: pl.DataFrame) -> list[File]:
        parts = max(-(-len(rows) // rows_per_part), 1)
        size = -(-len(rows) // parts)
        made = [
            part(rows.slice(number * size, size), f"wage_{stamp}_part{number + 1:02d}of{parts:02d}.csv.gz")
            for number in range(parts)
        ]
        said = f"parts={parts} rows={len(rows)}\n"

        def control(path: Path) -> None:
            path.write_text(said, "ascii")

        return [*made, File(f"wage_records/{stamp}/wage_{stamp}.ok", control)]

    return Consignment(Due(month.last, month.key), rows, files)


def _correction(rows: pl.DataFrame, month: Span) -> Consignment:
    """The correction file of a delivery: rows of earlier months, clean."""
    stamp = f"{month.first:%Y%m}"
    sent = as_sent(rows).with_columns(**CLEAN)

    def files(rows: pl.DataFrame) -> list[File]:
        path = f"wage_records/{stamp}/wage_{stamp}_correction01.csv.gz"
        return [File(path, lambda target: write_csv(rows, target, LAYOUT), pl.col("_person"))]

    return Consignment(Due(month.last, month.key, CORRECTION), sent, files)


def dues(last: date) -> list[Due]:
    """A consignment each month, and the corrections that some months bring."""
    window = months(last, FIRST_WAGE_MONTH)
    carriers = window[FIRST_CORRECTION::CORRECTION_EVERY]
    return [Due(month.last, month.key) for month in window] + [
        Due(month.last, month.key, CORRECTION) for month in carriers
    ]


FEED = Feed(NAME, Sftp(), make, dues)
