"""A month of wage rows for the benchmark, as a department would write them: same seed, same bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl

HEADER = (
    "证件类型,证件号码,单位编号,统一社会信用代码,参保地区划,行业,费款所属期,险种,缴费类型,缴费工资,金额单位,封顶保底,"
    "业务日期,更正序号,操作"
)
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CREDIT_ALPHABET = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_CREDIT_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
_CHUNK = 250_000
_ROWS_PER_EMPLOYER = 20


def write_month(path: Path, rows: int, counties: list[str], *, dirty: float = 0.02, seed: int = 20250527) -> None:
    """Write *rows* wage rows of 2025-06 as UTF-8 CSV; a share *dirty* of them breaks a rule.

    Args:
        path: The file to write.
        rows: How many rows.
        counties: County codes to choose from.
        dirty: Share of wrong rows: check digits, codes, dates and amounts in turn.
        seed: Of the generator.
    """
    random = np.random.default_rng(seed)
    codes = _credit_codes(max(rows // _ROWS_PER_EMPLOYER, 1), random)
    with path.open("wb") as file:
        file.write(f"{HEADER}\n".encode())
        for start in range(0, rows, _CHUNK):
            frame = _chunk(start, min(_CHUNK, rows - start), codes, counties, dirty, random)
            file.write(frame.write_csv(include_header=False).encode())


def as_delivered(plain: Path, delivered: Path) -> None:
    """The same rows as the department delivers them: GB18030 in gzip."""
    with plain.open(encoding="utf-8") as source, gzip.open(delivered, "wb", compresslevel=6) as target:
        while chunk := source.read(1 << 22):
            target.write(chunk.encode("gb18030"))


def _digits(number: np.ndarray, width: int) -> np.ndarray:
    return number[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def _credit_codes(count: int, random: np.random.Generator) -> np.ndarray:
    values = np.empty((count, 18), dtype=np.int64)
    values[:, 0], values[:, 1] = 9, 1
    values[:, 2:8] = np.array([3, 3, 9, 9, 0, 0])
    values[:, 8:17] = random.integers(0, 31, (count, 9))
    values[:, 17] = (31 - (values[:, :17] @ _CREDIT_WEIGHTS) % 31) % 31
    return np.array(["".join(row) for row in _CREDIT_ALPHABET[values]])


def _chunk(
    start: int, rows: int, codes: np.ndarray, counties: list[str], dirty: float, random: np.random.Generator
) -> pl.DataFrame:
    person = start + np.arange(rows)
    days = np.datetime64("1960-01-01") + (person // 1000) % 16_000
    born = pl.Series(days).dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    digits = np.concatenate(
        [np.tile([3, 3, 9, 9, 0, 0], (rows, 1)), _digits(born, 8), _digits(person % 1000, 3)], axis=1
    )
    check = np.array(list("10X98765432"))[digits @ _WEIGHTS % 11]
    first = pl.Series(born).cast(pl.String)
    serial = pl.Series(person % 1000).cast(pl.String).str.zfill(3)
    employer = random.integers(0, len(codes), rows)
    cents = np.clip(random.lognormal(13.4, 0.4, rows), 481_200, 2_493_000).astype(np.int64)
    frame = pl.DataFrame(
        {
            "id_type": pl.repeat("01", rows, eager=True),
            "resident_id": pl.select(pl.format("339900{}{}{}", first, serial, pl.Series(check))).to_series(),
            "employer_code": pl.select(pl.format("E{}", pl.Series(employer).cast(pl.String).str.zfill(8))).to_series(),
            "uscc": pl.Series(codes[employer]),
            "county": pl.Series(np.array(counties)[employer % len(counties)]),
            "industry": pl.Series(np.array(list("ABCDEFGHIJKLMNOPQRS"))[employer % 19]),
            "month": pl.repeat("202506", rows, eager=True),
            "scheme": pl.repeat("110", rows, eager=True),
            "payment_type": pl.repeat("01", rows, eager=True),
            "wage": pl.select(
                pl.format("{}.{}", pl.Series(cents // 100), pl.Series(cents % 100).cast(pl.String).str.zfill(2))
            ).to_series(),
            "unit": pl.repeat("元", rows, eager=True),
            "limit": pl.Series(np.where(cents == 481_200, "2", np.where(cents == 2_493_000, "1", "0"))),
            "recorded_on": pl.Series(random.integers(20250605, 20250629, rows)).cast(pl.String),
            "correction": pl.repeat("0", rows, eager=True),
            "operation": pl.repeat("1", rows, eager=True),
        }
    )
    fault = np.where(random.random(rows) < dirty, random.integers(1, 6, rows), 0)
    faults = pl.Series("fault", fault)
    wrong = {
        1: ("resident_id", pl.col("resident_id").str.slice(0, 17) + "?"),
        2: ("scheme", pl.lit("999")),
        3: ("recorded_on", pl.lit("20250231")),
        4: ("county", pl.lit("330104")),
        5: ("wage", pl.lit("0.72")),
    }
    return frame.with_columns(
        pl.when(faults == kind).then(expression).otherwise(name).alias(name)
        for kind, (name, expression) in wrong.items()
    )
