"""Refused rows as they go to quarantine: what was sent, by canonical name, and every rule that it broke.

A document number is never in it: its pseudonym stands for it where it is valid, else a token of the row. Nor is a name
or whatever else the contract withholds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.contracts.model import Rule
from threegaps.contracts.tables import PERSON_COLUMN, QUARANTINE_COLUMNS
from threegaps.ledger.touches import UNKNOWN_COUNTY
from threegaps.standards.identity_in_text import MASK


def row_tokens(landed_object_id: int, row_numbers: pl.Series) -> pl.Series:
    """The opaque token of each row: landed object and row number."""
    return pl.select(pl.format("{}-{}", pl.lit(landed_object_id), row_numbers)).to_series()


def masked_source(
    frame: pl.DataFrame, pseudonyms: pl.Series | None, tokens: pl.Series, withheld: Sequence[str]
) -> pl.DataFrame:
    """The source's texts with the document number replaced; *pseudonyms* is null where there is no valid number.

    What stands in the columns *withheld* is masked: it is kept nowhere.
    """
    frame = frame.with_columns(pl.when(pl.col(name).is_not_null()).then(pl.lit(MASK)).alias(name) for name in withheld)
    if pseudonyms is None:
        return frame
    replaced = pl.select(pl.coalesce(pseudonyms, pl.format("<{}>", tokens)).alias(PERSON_COLUMN)).to_series()
    return frame.with_columns(replaced)


class ReasonWriter:
    """Reasons of refusals as JSON; rows that break the same rules share their text."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._written: dict[bytes, str] = {}

    def write(self, broken: npt.NDArray[np.bool_]) -> pl.Series:
        """The reasons of each row of *broken*, a matrix of rows and rules."""
        packed = np.packbits(broken, axis=1)
        return pl.Series(
            "reasons", [self._written_once(bits.tobytes(), row) for bits, row in zip(packed, broken, strict=True)]
        )

    def write_with(
        self, broken: npt.NDArray[np.bool_], others: Sequence[Sequence[Mapping[str, str | None]]]
    ) -> pl.Series:
        """Likewise, with *others* of each row's reasons first."""
        return pl.Series(
            "reasons",
            [
                json.dumps([*first, *self._reasons(row)], ensure_ascii=False)
                for first, row in zip(others, broken, strict=True)
            ],
        )

    def _written_once(self, bits: bytes, row: npt.NDArray[np.bool_]) -> str:
        if bits not in self._written:
            self._written[bits] = json.dumps(self._reasons(row), ensure_ascii=False)
        return self._written[bits]

    def _reasons(self, row: npt.NDArray[np.bool_]) -> list[dict[str, str | None]]:
        return [
            reason(rule, rule.column, rule.message_zh, rule.message_en)
            for rule, is_broken in zip(self._rules, row, strict=True)
            if is_broken
        ]


def reason(rule: Rule, column: str | None, zh: str, en: str) -> dict[str, str | None]:
    """Why a row is refused, as quarantine keeps it."""
    return {"rule": rule.rule, "column": column, "message_zh": zh, "message_en": en}


@dataclass(frozen=True, slots=True)
class Other:
    """A row that another one contradicts: where it is, and nothing of what it says.

    Args:
        row_number: Its number in its file.
        landed_object_id: Its file; None where that is the other one's, too.
    """

    row_number: int
    landed_object_id: int | None

    def as_reason(self) -> dict[str, str | None]:
        """What is kept of it in the reason of the row that it contradicts."""
        return {
            "other_row": str(self.row_number),
            "other_object": None if self.landed_object_id is None else str(self.landed_object_id),
        }


def quarantine_csv(
    *,
    batch_id: int,
    feed: str,
    delivery: str,
    landed_object_id: int,
    row_numbers: pl.Series,
    tokens: pl.Series,
    counties: pl.Series,
    row_data: pl.Series,
    reasons: pl.Series,
    key_hashes: pl.Series | None = None,
) -> bytes:
    """Rows for quarantine as PostgreSQL's COPY reads CSV, in the order of ``QUARANTINE_COLUMNS``."""
    height = len(row_numbers)
    frame = pl.DataFrame(
        {
            "row_token": tokens,
            "batch_id": pl.repeat(batch_id, height, eager=True),
            "feed": pl.repeat(feed, height, eager=True),
            "delivery": pl.repeat(delivery, height, eager=True),
            "landed_object_id": pl.repeat(landed_object_id, height, eager=True),
            "row_number": row_numbers,
            "county_code": counties.fill_null(UNKNOWN_COUNTY),
            "row_data": row_data,
            "reasons": reasons,
            "key_hash": pl.repeat(None, height, dtype=pl.String, eager=True) if key_hashes is None else key_hashes,
        }
    )
    return to_copy_csv(frame.select(QUARANTINE_COLUMNS))


def to_copy_csv(frame: pl.DataFrame, *, is_plain: bool = False) -> bytes:
    """CSV as COPY reads it: a missing value is an empty field without quotes.

    Args:
        frame: The rows.
        is_plain: No text of theirs is empty or holds a comma, a quote or the end of a line: none needs looking at.
    """
    if not frame.height:
        return b""
    written = io.BytesIO()
    frame.write_csv(written, include_header=False, quote_style="never" if is_plain else "necessary")
    return written.getvalue()
