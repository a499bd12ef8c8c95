"""Small batches for the tests: rows of a feed as its department would send them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.verdict import JudgedBlock
from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.standards.identifiers import check_digit

ROOT = Path(__file__).parents[3] / "expectations"
KEY = PseudonymKey(b"a key for tests only, 32 bytes at least", "1")
WAGES = find_contract(ROOT, "hrss/wage_records")
HEADER = ",".join(column.source_name for column in WAGES.columns)


def resident_id(number: int, birthday: str = "19900101") -> str:
    """A valid number under the address code that was never issued."""
    first = f"339900{birthday}{number:03d}"
    return first + check_digit(first)


def wage(number: int = 1, **values: str) -> str:
    """A wage row as text."""
    row = {
        "id_type": "01",
        "resident_id": resident_id(number),
        "employer_code": "E00000001",
        "uscc": "91350100M000100Y43",
        "work_county_code": "330102",
        "industry_code": "C",
        "wage_month": "202506",
        "scheme": "110",
        "payment_type": "01",
        "wage_cny_month": "6543.21",
        "amount_unit": "元",
        "base_limit": "0",
        "recorded_on": "20250612",
        "correction_number": "0",
        "operation": "1",
    }
    return ",".join((row | values).values())


def wage_bytes(*rows: str, header: str = HEADER, encoding: str = "gb18030") -> bytes:
    """A wage file as delivered."""
    return gzip.compress("".join(f"{line}\n" for line in (header, *rows)).encode(encoding))


def part(content: bytes, number: int = 7, name: str = "wage_202506_part01of01.csv.gz", **more: Any) -> Part:
    """A landed object with these bytes."""
    return Part(number, name, lambda: io.BytesIO(content), **more)


def judge(parts: list[Part], contract: Contract = WAGES, **more: Any) -> tuple[Judgement, list[JudgedBlock]]:
    """Judge the parts, without certification."""
    delivery = Delivery.containing(contract.cadence, dt.date(2025, 6, 1)).key
    judgement = Judgement(contract, parts, batch_id=3, delivery=delivery, key=KEY, **more)
    return judgement, list(judgement.blocks())


def plain(contract: Contract, **file_format: Any) -> Contract:
    """The contract with another file format."""
    return dataclasses.replace(contract, file_format=contract.file_format.model_copy(update=file_format))
