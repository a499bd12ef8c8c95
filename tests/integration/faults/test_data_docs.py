"""Great Expectations' pages of a batch: from what had landed, without loading, and not once the bytes are gone."""

from __future__ import annotations

import html
import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.faults.small_feeds import MONTH, WAGES, WageFolder, statuses, wage_part, wage_rows
from threegaps import feed_run
from threegaps.cli.app import app
from threegaps.errors import FeedError, LedgerError, SettingsError

pytestmark = pytest.mark.integration


ACTING = ("\x1b", "\x07", "\u202e", "\x9b")
PLANTED = f"9Q9{''.join(ACTING)}[2J"


@pytest.fixture
def batch_id(wages: WageFolder, warehouse: str) -> int:
    """A loaded month with two refused rows, one of which holds an identity number where none is asked for."""
    sent = wage_rows()
    sent[0][7] = PLANTED
    sent[1][2] = f"E{sent[2][1]}"
    wages.send(wage_part(sent))
    feed_run.land(WAGES, MONTH)
    (number,) = feed_run.load(WAGES, MONTH)
    with psycopg.connect(warehouse) as connection:
        kept = connection.execute("select row_data::text from quarantine.refused_row").fetchall()
    assert len(kept) == 2
    assert not any(sent[2][1] in row_data for (row_data,) in kept)
    return number


def test_the_pages_hold_counts_and_tokens(batch_id: int, warehouse: str, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    answer = CliRunner().invoke(app, ["batches", "show", str(batch_id), "--data-docs", str(folder), "--json"])
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.output)
    assert said["rows"] == said["received"] == len(wage_rows())
    assert said["is_same_contract"]
    assert Path(said["page"]) == folder / "index.html"
    pages = "".join(html.unescape(page.read_text(encoding="utf-8")) for page in folder.rglob("*.html"))
    assert "scheme is not in its code list" in pages
    assert "row 1-1" in pages
    assert not any(row[1] in pages for row in wage_rows())
    assert "9Q9" not in pages
    assert not any(sign in pages for sign in ACTING), "no received text stands there, and none that acts"
    assert statuses(warehouse) == ["loaded"]
    with pytest.raises(SettingsError, match="not an empty folder"):
        feed_run.document(batch_id, folder)


def test_what_came_of_a_batch_is_shown_rule_by_rule(batch_id: int) -> None:
    answer = CliRunner().invoke(app, ["batches", "show", str(batch_id), "--json"])
    outcomes = {row["rule"]: (row["outcome"], row["unexpected"]) for row in json.loads(answer.output)}
    assert outcomes["scheme_code"] == ("refused_rows", 1)
    assert outcomes["identity_in_text"] == ("refused_rows", 1)
    assert outcomes["batch_columns"] == ("passed", 0)


def test_there_are_no_pages_without_the_bytes(batch_id: int, warehouse: str, tmp_path: Path) -> None:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("update ops.landed_object set copies_ended_at = now()")
    with pytest.raises(FeedError, match="The landed bytes are gone") as gone:
        feed_run.document(batch_id, tmp_path / "docs")
    assert gone.value.advice == "retention ended them"
    assert not (tmp_path / "docs").exists()
    with pytest.raises(LedgerError):
        feed_run.document(batch_id + 1, tmp_path / "docs")
