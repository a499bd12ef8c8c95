"""A small feed of people at employers, and a judgement that says what a test tells it to."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from threegaps.batch.verdict import CheckResult, Counts, JudgedBlock, Verdict
from threegaps.calendar import Delivery
from threegaps.contracts.model import Column, Contract, Header, Touch, Withdrawal
from threegaps.contracts.options.deliveries import SingleFile
from threegaps.contracts.options.formats import CsvFormat
from threegaps.contracts.options.sources import FileDropSource, FileNames
from threegaps.contracts.tables import accepted_columns
from threegaps.ledger import batches
from threegaps.ledger.landed import LandedObject, next_landed_object_id, record_landed_object
from threegaps.warehouse.load import Loaded, Plan, load_batch

BASE = {
    "feed": "test/wages",
    "department": "test",
    "name": "wages",
    "version": "1.0.0",
    "title_zh": "工资",
    "title_en": "Wages",
    "row_zh": "一条记录一人一月",
    "row_en": "One row for each employer and month",
    "owner_zh": "测试",
    "connection_id": "test_drop",
    "source": FileDropSource(protocol="file_drop", files=FileNames(part=r"wages_{delivery}\.csv")),
    "file_format": CsvFormat(kind="csv", encoding="utf-8"),
    "normalisations": (),
    "cadence": "month",
    "due_cron": "0 0 * * *",
    "due_day": "",
    "first_delivery": "2026-01",
    "delivery_kind": "full_period",
    "retention_months": 24,
    "watermark": None,
    "version_column": None,
    "withdrawal": Withdrawal(column="operation", value="0"),
    "rules": (),
    "batch_rules": (),
    "partition_column": "wage_month",
    "completeness": SingleFile(kind="file"),
    "table": "test_wages",
    "pool": "department_test",
    "hash": "contract-1",
}


def column(name: str, sql_type: str, *, required: bool = True) -> Column:
    return Column(name, (Header(name),), "string", sql_type, required, "L1", f"{name}的中文", name)


WAGES = Contract(
    **BASE,
    key=("employer", "wage_month"),
    columns=(
        column("employer", "text"),
        column("wage_month", "date"),
        column("county", "text"),
        column("wage", "numeric(12,2)", required=False),
    ),
    touch=Touch(county_columns=("county",), from_columns=("wage_month",), to_columns=()),
)
SPELLS = replace(
    WAGES,
    feed="test/spells",
    table="test_spells",
    cadence="day",
    first_delivery="2026-01-01",
    delivery_kind="changes",
    partition_column=None,
    key=("employer",),
    columns=(
        column("employer", "text"),
        column("county", "text"),
        column("start_date", "date"),
        column("end_date", "date", required=False),
    ),
    touch=Touch(county_columns=("county",), from_columns=("start_date",), to_columns=("end_date", "infinity")),
)
ROSTER = replace(
    WAGES,
    feed="test/roster",
    table="test_roster",
    cadence="quarter",
    first_delivery="2026Q1",
    delivery_kind="full_list",
    partition_column=None,
    withdrawal=None,
    key=("employer",),
    columns=(column("employer", "text"), column("county", "text"), column("recognised_on", "date")),
    touch=Touch(county_columns=("county",), from_columns=("recognised_on",), to_columns=("infinity",)),
)


@dataclass
class FakeJudgement:
    """Says that *rows* are accepted, a block each, and *refused* rows are not."""

    contract: Contract
    batch_id: int
    landed_object_id: int
    delivery: str
    rows: list[dict[str, Any]]
    refused: int = 0
    stopped_by: str | None = None
    fail_after: int | None = None
    seen: list[int] = field(default_factory=list)

    def blocks(self) -> Iterator[JudgedBlock]:
        for number, row in enumerate(self.rows, 1):
            if self.fail_after is not None and number > self.fail_after:
                raise RuntimeError("the judge broke")
            self.seen.append(number)
            yield JudgedBlock(self._line(number, row), 1, b"", 0, 0)
        if self.refused:
            yield JudgedBlock(b"", 0, self._refused(), self.refused, 0)

    def _line(self, number: int, row: dict[str, Any]) -> bytes:
        is_list = self.contract.delivery_kind == "full_list"
        version = Delivery.parse(self.contract.cadence, self.delivery).version if is_list else 0
        values = {
            "_batch_id": self.batch_id,
            "_landed_object_id": self.landed_object_id,
            "_row_number": number,
            "_version": version,
            "_withdrawn": "f",
            **row,
        }
        return _csv([[values.get(name) for name in accepted_columns(self.contract)]])

    def _refused(self) -> bytes:
        first = len(self.rows) + 1
        return _csv(
            [
                [
                    f"{self.landed_object_id}-{number}",
                    self.batch_id,
                    self.contract.feed,
                    self.delivery,
                    self.landed_object_id,
                    number,
                    "330102",
                    json.dumps({"employer": "?"}),
                    json.dumps([{"rule": "wage_range", "column": "wage", "message_zh": "超限", "message_en": "range"}]),
                    None,
                ]
                for number in range(first, first + self.refused)
            ]
        )

    def finish(self) -> Verdict:
        accepted = len(self.rows)
        received = accepted + self.refused
        check = CheckResult("wage_range", "x", "wage", "refuse", received, self.refused, "passed", True)
        return Verdict(
            self.stopped_by,
            "said by the test",
            "测试所说",
            Counts(received, 0, received, accepted, self.refused, 0),
            {},
            {},
            (check,),
            frozenset(self._area_periods()),
            sum(row.get("_withdrawn") != "t" for row in self.rows),
        )

    def _area_periods(self) -> Iterator[tuple[str, dt.date, dt.date]]:
        for row in self.rows:
            first = row.get("wage_month") or row.get("start_date") or row["recognised_on"]
            last = first if "wage_month" in row else row.get("end_date") or dt.date.max
            yield row["county"], first, last


def _csv(rows: list[list[Any]]) -> bytes:
    output = io.StringIO()
    csv.writer(output, lineterminator="\n").writerows(rows)
    return output.getvalue().encode()


class Loader:
    """Loads batches of told rows into one warehouse, as a feed run would."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.arrivals = 0

    def land(self, contract: Contract, delivery: str, *, part: str = "file", is_correction: bool = False) -> int:
        self.arrivals += 1
        identifier = next_landed_object_id(self.connection)
        record_landed_object(
            self.connection,
            LandedObject(
                identifier,
                contract.feed,
                delivery,
                part,
                self.arrivals,
                f"{part}.csv",
                "file:///x",
                1,
                "0" * 64,
                is_correction,
                dt.datetime.now(dt.UTC),
                None,
                None,
                None,
                None,
            ),
        )
        return identifier

    def plan(
        self,
        contract: Contract,
        delivery: str,
        rows: list[dict[str, Any]],
        *,
        landed: int | None = None,
        is_whole: bool = True,
        is_complete: bool = True,
        watermark_to: str | None = None,
        supersedes: int | None = None,
        **judgement: Any,
    ) -> Plan:
        landed = landed or self.land(contract, delivery, is_correction=not is_whole)
        is_whole = is_whole and contract.delivery_kind != "changes"
        batch_id = batches.begin_batch(
            self.connection,
            feed=contract.feed,
            delivery=Delivery.parse(contract.cadence, delivery),
            landed_object_ids=[landed],
            is_whole=is_whole,
            contract_hash=contract.hash,
            code_version="0",
            pseudonym_key_version="1",
            supersedes=None if supersedes is None else batches.get_batch(self.connection, supersedes),
        )
        return Plan(
            contract=contract,
            delivery=Delivery.parse(contract.cadence, delivery),
            batch_id=batch_id,
            judge=lambda: FakeJudgement(contract, batch_id, landed, delivery, rows, **judgement),
            is_whole=is_whole,
            is_complete=lambda _: is_complete,
            supersedes_batch_id=supersedes,
            watermark_to=watermark_to,
        )

    def load(self, contract: Contract, delivery: str, rows: list[dict[str, Any]], **options: Any) -> Loaded:
        return load_batch(self.connection, self.plan(contract, delivery, rows, **options))

    def rows(self, contract: Contract, *columns: str, schema: str = "raw") -> list[tuple[Any, ...]]:
        selected = ", ".join(columns)
        return self.connection.execute(
            f"select {selected} from {schema}.{contract.table} order by {selected}"
        ).fetchall()

    def touches(self, batch_id: int) -> set[tuple[str, str, str]]:
        rows = self.connection.execute(
            "select county_code, period_from::text, period_to::text from ops.touch where batch_id = %s", [batch_id]
        ).fetchall()
        return {(row[0], row[1], row[2]) for row in rows}

    def last_batch(self) -> batches.Batch:
        row = self.connection.execute("select max(batch_id) from ops.batch").fetchone()
        assert row is not None
        return batches.get_batch(self.connection, row[0])


@pytest.fixture
def loader(warehouse: str) -> Iterator[Loader]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        yield Loader(connection)
