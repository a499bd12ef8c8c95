"""Fixtures of feeds: a few rows as the department sends them, and what must become of each.

One YAML file a feed, `tests/fixtures/feeds/<department>/<feed>.yml`:

    delivery: 2026Q2
    files:                       # in order of arrival
      - name: the department's name for it
        text: |                  # written in the encoding and compression that the contract declares
          header,line
        encoding: gb18030        # or in this one, where layouts differ
        line_end: "\\r\\n"       # LF when left out
        rows: [[...]]            # instead of text, for a workbook of one sheet: its cells, an empty one is null
        merged: [B3:C3]          # and which of them are merged
        sheets:                  # or its sheets
          - {name: 上城区, rows: [[...]], merged: [A1:B1], hidden: true}
        blank_sheets: [西湖区]   # and those without a cell that come behind these
    expected:
      structural: 2              # lines that are no data (header, totals, notes); 0 when left out, like duplicates
      received: 5
      accepted: 2
      duplicates: 1
      refused:
        4: [rule, ...]           # data row -> every rule that it breaks; "2/4" in the second file
      normalisations:            # rows that each has changed, by column; not looked at when left out
        date_slashed.opened_on: 1
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import yaml

from threegaps.contracts.model import Contract
from threegaps.settings import Settings

FOLDER = Settings.load().root / "tests" / "fixtures" / "feeds"


@dataclass(frozen=True, slots=True)
class FeedFixture:
    """What is sent, by file name, and what is expected of it."""

    path: Path
    delivery: str
    files: Mapping[str, bytes]
    counts: Mapping[str, int]
    refused: Mapping[tuple[int, int], frozenset[str]]
    normalisations: Mapping[str, int] | None


def fixture_path(feed: str) -> Path:
    """Where the fixture of *feed* lies."""
    return FOLDER / f"{feed}.yml"


def load_fixture(contract: Contract) -> FeedFixture:
    """The fixture of a contract's feed, its files as bytes."""
    path = fixture_path(contract.feed)
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    expected = document["expected"]
    return FeedFixture(
        path=path,
        delivery=str(document["delivery"]),
        files={file["name"]: _bytes(contract, file) for file in document["files"]},
        counts={name: expected.get(name, 0) for name in ("structural", "received", "accepted", "duplicates")},
        refused={_place(row): frozenset(rules) for row, rules in expected.get("refused", {}).items()},
        normalisations=expected.get("normalisations"),
    )


def _place(row: int | str) -> tuple[int, int]:
    file, _, number = str(row).rpartition("/")
    return int(file or 1), int(number)


def _bytes(contract: Contract, file: Mapping[str, Any]) -> bytes:
    if "rows" in file or "sheets" in file:
        blank = [{"name": name, "rows": []} for name in file.get("blank_sheets", ())]
        return _workbook([*(file.get("sheets") or [{"name": "Sheet", **file}]), *blank])
    text = str(file["text"]).replace("\n", str(file.get("line_end", "\n")))
    content = text.encode(file.get("encoding", getattr(contract.file_format, "encoding", None)))
    return (
        gzip.compress(content, mtime=0) if getattr(contract.file_format, "compression", "none") == "gzip" else content
    )


def _workbook(sheets: Sequence[Mapping[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for written in sheets:
        sheet = book.create_sheet(written["name"])
        for row in written["rows"]:
            sheet.append(row)
        for area in written.get("merged", ()):
            sheet.merge_cells(area)
        if written.get("hidden", False):
            sheet.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
