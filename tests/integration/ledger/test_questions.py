"""What the command line asks the ledger and the quarantine."""

from __future__ import annotations

import psycopg
import pytest
from typer.testing import CliRunner

from threegaps.cli.app import app
from threegaps.errors import ContractError, LedgerError
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

FEED = "hrss/wage_records"
REASONS = '[{"rule": "rule_of_old", "column": null, "message_zh": "旧规则", "message_en": "a rule of old"}]'


@pytest.fixture
def batch(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A stopped batch with one refused row."""
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda _: warehouse)
    with psycopg.connect(warehouse) as connection:
        landed = connection.execute(
            "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256)"
            " values (%s, '2026-06', '1', 1, 'a.csv', 'file:///a', 1, repeat('0', 64)) returning landed_object_id",
            [FEED],
        ).fetchone()
        made = connection.execute(
            "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
            " pseudonym_key_version, stop_rule, message_zh, message_en)"
            " values (%s, '2026-06', '2026-06-01', '2026-06-30', 'stopped', 'h', 'c', '1', 'batch_columns',"
            " '缺少列', 'a column is missing') returning batch_id",
            [FEED],
        ).fetchone()
        assert landed is not None
        assert made is not None
        connection.execute(
            "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
            " county_code, row_data, reasons) values ('1-1', %s, %s, '2026-06', %s, 1, '330106', '{}', %s)",
            [made[0], FEED, landed[0], REASONS],
        )
    return int(made[0])


def said(*arguments: str) -> str:
    finished = CliRunner().invoke(app, arguments)
    if finished.exception:
        raise finished.exception
    return finished.stdout


def test_refused_rows_are_found_by_all_that_is_known_of_them(batch: int) -> None:
    for option, value in (("batch", str(batch)), ("rule", "rule_of_old"), ("delivery", "2026-06"), ("feed", FEED)):
        shown = said("quarantine", "show", f"--{option}", value)
        assert "rule_of_old 旧规则 · a rule of old" in shown, option
    assert said("quarantine", "show", "--rule", "wage_cny_month_range") == (
        "No refused row is open for rule wage_cny_month_range.\n"
    )
    assert "旧规则 · a rule of old" in said("quarantine", "rules")
    assert '"message_en": "a column is missing"' in said("batches", "--status", "stopped", "--json")


def test_what_is_not_known_is_an_error(batch: int) -> None:
    with pytest.raises(LedgerError, match="There is no batch 999999"):
        said("quarantine", "show", "--batch", "999999")
    with pytest.raises(LedgerError, match=f"Batch {batch} is one of {FEED}"):
        said("quarantine", "show", "--batch", str(batch), "--feed", "hrss/certificates")
    with pytest.raises(ContractError, match=r"no rule 'rule_of_new'.*quarantine rules"):
        said("quarantine", "show", "--rule", "rule_of_new")
