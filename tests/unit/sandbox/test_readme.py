"""What the sandbox's README says of layouts, against the contracts that were written from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.published_income import figures
from threegaps.contracts.loader import load_contracts

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")
COLUMNS = {
    contract.feed: {column.name for column in contract.columns} for contract in load_contracts(ROOT / "expectations")
}
SECTIONS = [section for section in re.split(r"^###? ", README, flags=re.MULTILINE) if "| canonical |" in section]
# Says of a column that it is, or is part of, the key.
MARK = "key"


def canonical_names(section: str) -> Iterator[str]:
    """The names below ``canonical`` in the tables of a section."""
    place: int | None = None
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            place = None
        elif "canonical" in cells:
            place = cells.index("canonical")
        elif place is not None:
            yield from re.findall(r"\b[a-z][a-z_0-9]+\b", cells[place])


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_a_table_names_columns_of_the_contracts_of_its_section(section: str) -> None:
    known = set[str]().union(*(columns for feed, columns in COLUMNS.items() if feed in section))
    names = set(canonical_names(section)) - {MARK}
    assert names
    assert names - known == set()


def test_tables_stand_in_most_sections_of_feeds() -> None:
    assert len(SECTIONS) > 8


def test_the_deliveries_of_published_incomes_are_all_named() -> None:
    (named,) = re.findall(r"Deliveries: ((?:\d{4}Q\d ?)+)\.", README)
    assert named.split() == sorted(figures())
