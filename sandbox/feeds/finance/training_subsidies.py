"""finance/training_subsidies (培训补贴资金台账, pxbtzj): changes by update time, in the finance department's database.

Payments for completed trainings; a reversal is a row of its own with a negative amount.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.texts import county_code, day, moment

NAME = "finance/training_subsidies"
FIELDS = {
    "payment_id": "zfdh", "reverses_payment_id": "chdh", "enrollment_id": "xydjbh", "county_code": "xzqhdm",
    "provider_uscc": "jgdm", "payee_kind": "skflx", "fund_source": "zjly", "amount_cny": "je", "paid_on": "zfrq",
    "accounting_month": "kjqj", "updated_at": "gxsj", "is_valid": "zt",
}  # fmt: skip
SHARE_REVERSED, SHARE_IN_PART, SHARE_CANCELLED = 0.05, 0.3, 0.01
FUNDS = np.array(["01", "02", "03", "04"])


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    reversal = filled("reverses_payment_id")
    return [
        *county_kinds("county_code"),
        *date_kinds("paid_on"),
        required_kind("payment_id"),
        required_kind("county_code"),
        Kind("payment_id_pattern", ("payment_id_pattern",), each_text("payment_id", lambda text: text[:-2]), ANY),
        code_kind("payee_kind", "3"),
        code_kind("fund_source", "09"),
        Kind("amount_no_number", ("amount_cny_type",), put(amount_cny="约1200"), ANY),
        Kind("amount_beyond_bound", ("amount_cny_range",), put(amount_cny="2500000.00"), ~reversal),
        Kind("amount_full_width", (), full_width("amount_cny"), ~reversal, 1, "full_width"),
        Kind("month_missing_in_calendar", ("accounting_month_type",), put(accounting_month="202513"), ANY),
        Kind("reversal_of_nothing", ("reversal_names_payment",), put(reverses_payment_id=""), reversal, 12),
        Kind(
            "payment_that_reverses", ("reversal_names_payment",), put(reverses_payment_id="ZF20240700000001"), ~reversal
        ),
        *missing_word_kinds("enrollment_id"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("provider_uscc", flip_last), filled("provider_uscc")),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(amount_cny="8888.88"), ~reversal, 2, "", "conflict"),
    ]


def payments(scene: Scene) -> pl.DataFrame:
    """Payments and reversals, typed; `amount` in cents."""
    rng = np.random.default_rng([scene.parameters.seed, 90])
    trainings = scene.people.trainings
    done = trainings.filter(
        (pl.col("version") == 2) & (pl.col("status") == "02") & pl.col("subsidy_cny").is_not_null()
    ).select(
        "enrollment_id", "residence", "completion_date", cents=(pl.col("subsidy_cny") * 100).round().cast(pl.Int64)
    )
    number = len(done)
    employers = scene.people.employers["uscc"]
    paid = done["completion_date"].to_numpy() + rng.integers(20, 100, number)
    base = done.with_columns(
        paid_on=pl.Series(paid),
        provider_uscc=pl.Series(
            np.where(rng.random(number) < 0.8, employers.to_numpy()[rng.integers(0, len(employers), number)], "")
        ),
        payee_kind=pl.Series(rng.choice(np.array(["1", "2"]), number, p=[0.55, 0.45])),
        fund_source=pl.Series(rng.choice(FUNDS, number, p=[0.45, 0.3, 0.2, 0.05])),
        delay=pl.Series(rng.integers(0, 6, number)),
        second=pl.Series(rng.integers(9 * 3600, 17 * 3600, number)),
        is_cancelled=pl.Series(rng.random(number) < SHARE_CANCELLED),
        serial=pl.int_range(1, number + 1),
        reversed_serial=pl.lit(None, pl.Int64),
    )
    chosen = base.filter(pl.Series(rng.random(number) < SHARE_REVERSED) & ~pl.col("is_cancelled"))
    in_part = pl.Series(rng.random(len(chosen)) < SHARE_IN_PART)
    reversals = chosen.with_columns(
        cents=-pl.when(in_part).then((pl.col("cents") * 0.4).round().cast(pl.Int64)).otherwise("cents"),
        paid_on=pl.Series(chosen["paid_on"].to_numpy() + rng.integers(15, 120, len(chosen))),
        reversed_serial="serial",
        serial=pl.int_range(number + 1, number + 1 + pl.len()),
    )
    first_paid = {"_paid": pl.col("paid_on")}
    both = pl.concat([base.with_columns(**first_paid), reversals.with_columns(_paid=chosen["paid_on"])])
    return both.filter(pl.col("paid_on") + pl.duration(days="delay") <= scene.horizon)


def _payment_id(day_column: str, serial: str) -> pl.Expr:
    digits = pl.col(serial).cast(pl.String).str.zfill(8)
    return pl.format("ZF{}{}", pl.col(day_column).dt.strftime("%Y%m"), digits)


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Payments as the department writes them, in their last state."""
    cents = pl.col("cents").abs()
    text = pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))
    entered = pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(days="delay", seconds="second")
    typed = frame.with_columns(_entered=entered, _cancelled=entered + pl.duration(days=9, hours=1))
    return typed.select(
        payment_id=_payment_id("paid_on", "serial"),
        reverses_payment_id=pl.when(pl.col("reversed_serial").is_null())
        .then(pl.lit(""))
        .otherwise(_payment_id("_paid", "reversed_serial")),
        enrollment_id="enrollment_id",
        county_code=county_code("residence"),
        provider_uscc="provider_uscc",
        payee_kind="payee_kind",
        fund_source="fund_source",
        amount_cny=pl.when(pl.col("cents") < 0).then(pl.format("-{}", text)).otherwise(text),
        paid_on=day("paid_on"),
        accounting_month=pl.col("paid_on").dt.strftime("%Y%m"),
        updated_at=pl.when("is_cancelled").then(moment("_cancelled")).otherwise(moment("_entered")),
        is_valid=pl.when("is_cancelled").then(pl.lit("0")).otherwise(pl.lit("1")),
        _entered_at=moment("_entered"),
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each payment and, for cancelled ones, the one before."""
    cancelled = pl.col("is_valid") == "0"
    typed = payments(scene)
    current = rows(typed).with_columns(_key="payment_id", _from="updated_at", _until=pl.lit(""))
    before = current.filter(cancelled).with_columns(
        is_valid=pl.lit("1"), updated_at="_entered_at", _from="_entered_at", _until="updated_at", **CLEAN
    )
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~cancelled)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, before]))


FEED = Feed(NAME, Table("pxbtzj", "培训补贴资金台账（合成数据）", FIELDS, moment="gxsj"), make)
