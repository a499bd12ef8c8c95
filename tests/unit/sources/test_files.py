"""Which of the files in a department's folder make up a delivery."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.settings import Settings
from threegaps.sources.control_file import Control, ControlFileError, read_control
from threegaps.sources.files import Folder, offer_files
from threegaps.sources.model import Offer
from threegaps.sources.quiet import FoundFile, Looks

JULY = Delivery.parse("month", "2024-07")


@pytest.fixture
def wages() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/wage_records")


OLD = dt.datetime(2024, 8, 1, tzinfo=dt.UTC)


def files(*names: str, control: bytes = b"parts=2 rows=60\n") -> list[FoundFile]:
    return [
        FoundFile(name, 1, OLD, lambda name=name: [control if name.endswith(".ok") else b"x"])  # type: ignore[misc]
        for name in names
    ]


def offer_parts(contract: Contract, delivery: Delivery, found: list[FoundFile]) -> Offer:
    return offer_files(contract, delivery, Folder("folder", found, Counter()), Looks(60))


offer_single = offer_parts


def test_parts_come_in_order_then_the_control_file_then_corrections(wages: Contract) -> None:
    offer = offer_parts(
        wages,
        JULY,
        files(
            "wage_202407.ok",
            "wage_202407_correction01.csv.gz",
            "wage_202407_part02of02.csv.gz",
            "wage_202407_part01of02.csv.gz",
            "readme.txt",
        ),
    )
    assert [one.part for one in offer.arrivals] == ["part0001", "part0002", "control", "correction0001"]
    assert [one.is_correction for one in offer.arrivals] == [False, False, False, True]
    assert offer.waiting_for is None


def test_without_its_control_file_a_delivery_has_only_corrections(wages: Contract) -> None:
    offer = offer_parts(wages, JULY, files("wage_202407_part01of01.csv.gz", "wage_202407_correction01.csv.gz"))
    assert [one.part for one in offer.arrivals] == ["correction0001"]
    assert offer.waiting_for == "the control file wage_202407.ok"


def test_parts_of_another_number_than_announced_are_of_an_earlier_sending(
    wages: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    found = files("wage_202407_part01of01.csv.gz", "wage_202407_part01of02.csv.gz", "wage_202407_part02of02.csv.gz")

    def offered(said: bytes) -> list[str]:
        control = FoundFile("wage_202407.ok", 1, OLD, lambda: [said[:3], said[3:]])
        return [one.source_name for one in offer_parts(wages, JULY, [*found, control]).arrivals]

    assert offered(b"parts=1 rows=60\n") == ["wage_202407_part01of01.csv.gz", "wage_202407.ok"]
    (line,) = caplog.messages
    assert "wage_202407_part01of02.csv.gz, wage_202407_part02of02.csv.gz" in line
    assert offered(b"parts=2 rows=60\n") == [*(file.name for file in found[1:]), "wage_202407.ok"]
    with pytest.raises(FeedError, match="does not say how many parts"):
        offered(b"rows=60\n")


@pytest.mark.parametrize(
    "stray", ["wage_202406_part01of01.csv.gz", "wage_202408_correction01.csv.gz", "wage_202406.ok"]
)
def test_a_file_of_another_period_is_an_error(stray: str, wages: Contract) -> None:
    with pytest.raises(FeedError, match="another period") as told:
        offer_parts(wages, JULY, files("wage_202407.ok", stray))
    assert (told.value.feed, told.value.file) == ("hrss/wage_records", stray)
    assert told.value.advice


def test_names_are_taken_whole(wages: Contract) -> None:
    offer = offer_parts(wages, JULY, files("wage_202407.ok", "wage_202407_part01of01.csv.gz.tmp", "wage_202407xok"))
    assert [one.part for one in offer.arrivals] == ["control"]


def test_a_single_file_is_found_by_its_name() -> None:
    contract = find_contract(Settings.load().contracts_folder, "hrss/skill_enterprises")
    quarter = Delivery.parse("quarter", "2024Q3")
    found = offer_single(contract, quarter, files("skill_enterprises_2024Q2.xlsx", "skill_enterprises_2024Q3.xlsx"))
    assert [one.source_name for one in found.arrivals] == ["skill_enterprises_2024Q3.xlsx"]
    waiting = offer_single(contract, quarter, files("skill_enterprises_2024Q2.xlsx"))
    assert waiting.arrivals == []
    assert waiting.waiting_for == "the file skill_enterprises_2024Q3.xlsx"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"parts=2 rows=120\n", Control(2, 120)),
        (b"parts = 2\r\nrows = 120", Control(2, 120)),
        (b"\xef\xbb\xbfrows=0\tparts=1\r\n\x1a", Control(1, 0)),
        (b"parts=12", Control(12, None)),
    ],
)
def test_a_control_file_says_parts_and_rows(text: bytes, said: Control) -> None:
    assert read_control(text) == said


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"rows=7",
        b"parts=1 rows=60,000",
        b"parts=1 rows=60 000",
        b"parts=1 rows=6e4",
        b"parts=1 rows=60.0",
        b"parts=1 rows=-60",
        b"parts=1 rows=+60",
        b"parts=1 rows=",
        b"parts=1 rows=60;",
        b"parts=1, rows=60",
        b"parts=1 rows=60 parts=1",
        b"parts=1 parts=2",
        b"parts=0 rows=0",
        b"parts=1 rows=60 checksum=1",
        b"parts=1 rows=60 total 60",
        b"parts=1 rows=" + b"9" * 13,
        b"parts=100001 rows=1",
        b"parts=1 rows=\xef\xbc\x96\xef\xbc\x90",
        b"\xff\xfe rows=7",
        b"p\x00a\x00r\x00t\x00s\x00=\x001\x00",
        b"parts=1" + b" " * 5000,
    ],
)
def test_a_control_file_that_is_not_wholly_understood_says_nothing(text: bytes) -> None:
    with pytest.raises(ControlFileError) as told:
        read_control(text)
    assert "60" not in str(told.value)
