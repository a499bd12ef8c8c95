"""The departments' feeds describe themselves, and the gateway's paging conventions do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import feeds
from sandbox.feeds.model import DataSet, Table
from sandbox.feeds.paging import Cursor, PageAndSize, Paging, StartAndCount
from sandbox.parameters import DEFAULT_SCALE
from threegaps.contracts.loader import load_contracts
from threegaps.one_machine import departments
from threegaps.settings import Settings

SANDBOX = Path(feeds.__file__).parents[1]


def test_every_contract_has_its_feed() -> None:
    contracts = {contract.feed for contract in load_contracts(Settings.load().contracts_folder)}
    assert contracts <= {feed.name for feed in feeds.every()}


def test_no_feed_is_named_outside_its_module() -> None:
    """Generator, writers and servers know no feed by name."""
    shared = [
        path
        for path in SANDBOX.rglob("*.py")
        if path.relative_to(SANDBOX).parts[0] not in {"feeds", "truth", "population"}
    ]
    assert shared
    for path in shared:
        text = path.read_text(encoding="utf-8")
        for feed in feeds.every():
            assert feed.name not in text, f"{path} knows {feed.name}"
            if isinstance(feed.medium, DataSet | Table):
                assert f'"{feed.medium.name}"' not in text, f"{path} knows {feed.medium.name}"


def test_fields_of_a_medium_are_told_apart() -> None:
    for feed in feeds.every():
        if isinstance(feed.medium, DataSet | Table):
            names = list(feed.medium.fields.values())
            assert len(names) == len(set(names)), feed.name


def everything(paging: Paging, first: dict[str, object], total: int, *, step: dict[str, int]) -> list[int]:
    """Row numbers read by a reader that adds `step` to its parameters, or follows the cursor."""
    asked, rows = dict(first), []
    for _ in range(100):
        offset, count = paging.wanted(asked)
        found = list(range(total))[offset : offset + count]
        rows += found
        beside = paging.beside(offset, len(found), total)
        if step:
            if len(found) < count:
                return rows
            asked |= {name: int(str(asked[name])) + more for name, more in step.items()}
        else:
            if not beside["next"]:
                return rows
            asked["at"] = beside["next"]
    raise AssertionError("it never ends")


@pytest.mark.parametrize("total", [0, 6, 7, 8, 14])
def test_each_convention_gives_every_row_once(total: int) -> None:
    pages = everything(PageAndSize("p", "s", 10), {"p": 1, "s": 7}, total, step={"p": 1})
    starts = everything(StartAndCount("a", "n", 10), {"a": "1", "n": "7"}, total, step={"a": 7})
    zero = everything(StartAndCount("a", "n", 10, first=0), {"a": 0, "n": 7}, total, step={"a": 7})
    cursor = everything(Cursor("at", "n", "next", 10), {"n": 7}, total, step={})
    assert pages == starts == zero == cursor == list(range(total))


@pytest.mark.parametrize(
    ("paging", "asked", "name"),
    [
        (PageAndSize("p", "s", 10), {"p": 0, "s": 5}, "p"),
        (PageAndSize("p", "s", 10), {"p": 1, "s": 11}, "s"),
        (PageAndSize("p", "s", 10), {"p": 1}, "s"),
        (StartAndCount("a", "n", 10), {"a": 0, "n": 5}, "a"),
        (StartAndCount("a", "n", 10), {"a": "x", "n": 5}, "a"),
        (Cursor("at", "n", "next", 10), {"at": "!", "n": 5}, "at"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(paging: Paging, asked: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}$"):
        paging.wanted(asked)


def test_totals_are_told_where_they_are() -> None:
    assert PageAndSize("p", "s", 10).beside(0, 5, 9) == {"total": 9}
    assert PageAndSize("p", "s", 10, gives_total=False).beside(0, 5, 9) == {}
    assert StartAndCount("a", "n", 10).beside(0, 5, 9) == {}


def test_one_machine_makes_the_province_of_the_default_size() -> None:
    assert float(departments.DEFAULT_SCALE) == DEFAULT_SCALE
