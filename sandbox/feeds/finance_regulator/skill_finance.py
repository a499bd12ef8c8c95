"""finance_regulator/skill_finance (技能共富贷与技能共富保): every month a CSV file of sums, no persons.

Stocks at the month's end by institution, county, product and kind of borrower. Not scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, months
from sandbox.dirt.kinds import ANY, Kind, code_kind, county_kinds, each_text, full_width, put, required_kind
from sandbox.dirt.spoil import not_refused, spoil
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import county_code
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "finance_regulator/skill_finance"
LAYOUT = CsvLayout(
    {
        "institution_code": "机构编码", "county_code": "行政区划代码", "month": "统计月份", "product": "产品",
        "borrower_kind": "对象类别", "balance_cny": "贷款余额(万元)", "accounts": "贷款户数", "borrowers": "借款对象数",
        "npl_balance_cny": "不良贷款余额(万元)", "insured_persons": "参保人数",
    },
    total=True,
)  # fmt: skip
BANKS, INSURERS = 8, 3
LOAN, INSURANCE = "01", "02"
KINDS_OF_BORROWER = np.array(["01", "02", "03"])
SHARE_OF_LOAN_CELLS, SHARE_OF_INSURED_COUNTIES = 0.2, 0.3
"""How many of the possible cells an institution has business in."""


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    loan, insurance = pl.col("product") == LOAN, pl.col("product") == INSURANCE
    return [
        *county_kinds("county_code"),
        required_kind("institution_code"),
        Kind("hash_for_institution", ("institution_code_pattern",), put(institution_code="9f86d081884c7d65"), ANY),
        code_kind("borrower_kind", "09"),
        Kind("month_missing_in_calendar", ("month_type",), put(month="202513"), ANY),
        Kind("loan_without_balance", ("balance_cny_of_product",), put(balance_cny="", npl_balance_cny="0"), loan),
        Kind("insurance_with_balance", ("balance_cny_of_product",), put(balance_cny="12.5"), insurance),
        Kind("loan_with_insured", ("insured_persons_of_product",), put(insured_persons="30"), loan),
        Kind("balance_no_number", ("balance_cny_type",), put(balance_cny="约百万"), loan),
        Kind("bad_beyond_all", ("npl_within_balance",), put(npl_balance_cny="900000.00"), loan),
        Kind("borrowers_beyond_accounts", ("borrowers_within_accounts",), put(borrowers="900000"), loan),
        Kind("thousands_marked", (), put(accounts="1２00", borrowers="1200"), loan, 1, "full_width"),
        Kind("code_full_width", (), full_width("institution_code"), ANY, 1, "full_width"),
        Kind("code_with_apostrophe", (), each_text("county_code", lambda text: "'" + text), ANY, 1, "apostrophe"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(accounts="800000"), loan, 2, "", "conflict"),
    ]


def stocks(scene: Scene) -> pl.DataFrame:
    """Every stock at a month's end, typed; balances in hundreds of yuan, as 万元 with two decimals have them."""
    rng = scene.stream(NAME, 1)
    area = areas.load()
    counties = np.arange(len(area.codes))
    loans = (
        pl.DataFrame({"institution": np.arange(1, BANKS + 1)})
        .join(pl.DataFrame({"county": counties}), how="cross")
        .join(pl.DataFrame({"borrower_kind": KINDS_OF_BORROWER}), how="cross")
        .with_columns(product=pl.lit(LOAN))
    )
    insured = (
        pl.DataFrame({"institution": np.arange(1, INSURERS + 1)})
        .join(pl.DataFrame({"county": counties}), how="cross")
        .with_columns(borrower_kind=pl.lit("01"), product=pl.lit(INSURANCE))
    )
    share = pl.when(pl.col("product") == LOAN).then(SHARE_OF_LOAN_CELLS).otherwise(SHARE_OF_INSURED_COUNTIES)
    cells = pl.concat([loans, insured])
    cells = cells.filter(pl.Series(rng.random(len(cells))) < share)
    number = len(cells)
    weight = area.weight[cells["county"].to_numpy()] * len(area.codes)
    cells = cells.with_columns(
        size=pl.Series(weight * np.exp(rng.normal(3.0, 0.7, number))),
        each=pl.Series(rng.uniform(1_000, 4_000, number)),
        bad=pl.Series(np.where(rng.random(number) < 0.5, rng.uniform(0.002, 0.02, number), 0.0)),
        growth=pl.Series(rng.uniform(0.0, 0.03, number)),
        begins=pl.Series(rng.integers(-24, 18, number)),
    )
    found = []
    for order, month in enumerate(months(scene.horizon)):
        accounts = (pl.col("size") * (1 + pl.col("growth") * order)).ceil().cast(pl.Int64)
        loan = pl.col("product") == LOAN
        hundreds = (accounts * pl.col("each")).round().cast(pl.Int64)
        found.append(
            cells.filter(pl.col("begins") <= order).with_columns(
                month=pl.lit(month.first),
                accounts=pl.when(loan).then(accounts),
                borrowers=pl.when(loan).then((accounts * 0.92).ceil().cast(pl.Int64)),
                balance_hundreds=pl.when(loan).then(hundreds),
                npl_hundreds=pl.when(loan).then((hundreds * pl.col("bad")).round().cast(pl.Int64)),
                insured_persons=pl.when(~loan).then(accounts * 9),
            )
        )
    return pl.concat(found).with_columns(serial=pl.int_range(pl.len()))


def as_sent(frame: pl.DataFrame) -> pl.DataFrame:
    """Stocks as text, amounts in 万元."""

    def ten_thousands(column: str) -> pl.Expr:
        text = pl.format("{}.{}", pl.col(column) // 100, (pl.col(column) % 100).cast(pl.String).str.zfill(2))
        return pl.when(pl.col(column).is_not_null()).then(text).otherwise(pl.lit(""))

    letter = pl.when(pl.col("product") == LOAN).then(pl.lit("B")).otherwise(pl.lit("I"))
    return frame.select(
        institution_code=pl.format("{}{}", letter, pl.col("institution").cast(pl.String).str.zfill(4)),
        county_code=county_code("county"),
        month=pl.col("month").dt.strftime("%Y%m"),
        product="product",
        borrower_kind="borrower_kind",
        balance_cny=ten_thousands("balance_hundreds"),
        accounts=pl.col("accounts").cast(pl.String).fill_null(""),
        borrowers=pl.col("borrowers").cast(pl.String).fill_null(""),
        npl_balance_cny=ten_thousands("npl_hundreds"),
        insured_persons=pl.col("insured_persons").cast(pl.String).fill_null(""),
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """One file a month."""
    every = stocks(scene)
    accepted = []
    for order, month in enumerate(months(scene.horizon)):
        stands = every.filter(pl.col("month") == month.first)
        rows = spoil(as_sent(stands), kinds(), scene.parameters.dirt, scene.stream(NAME, order + 2))
        accepted.append(not_refused(stands, rows, "serial"))
        yield Consignment(Due(month.last, month.key), rows, _files(month))
    scene.accepted[NAME] = pl.concat(accepted)


def _files(month: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        path = f"skill_finance/skill_finance_{month.first:%Y%m}.csv"
        key = pl.concat_str("institution_code", "county_code", "product", "borrower_kind", separator="|")
        return [File(path, lambda target: write_csv(rows, target, LAYOUT), key)]

    return files


FEED = Feed(NAME, Sftp(), make, lambda last: [Due(month.last, month.key) for month in months(last)])
