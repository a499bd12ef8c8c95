"""Which of the files in a department's folder make up a delivery."""

from __future__ import annotations

import datetime as dt

import pytest

from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.settings import Settings
from threegaps.sources.files import FoundFile, announced, offer_parts, offer_single

JULY = Delivery.parse("month", "2024-07")


@pytest.fixture
def wages() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/wage_records")


def files(*names: str) -> list[FoundFile]:
    return [FoundFile(name, 1, dt.datetime(2024, 8, 1, tzinfo=dt.UTC), lambda: [b"x"]) for name in names]


def test_parts_and_corrections_come_in_order_and_the_control_file_last(wages: Contract) -> None:
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
    assert [one.part for one in offer.arrivals] == ["part0001", "part0002", "correction0001", "control"]
    assert [one.is_correction for one in offer.arrivals] == [False, False, True, False]
    assert offer.waiting_for is None


def test_without_its_control_file_a_delivery_has_only_corrections(wages: Contract) -> None:
    offer = offer_parts(wages, JULY, files("wage_202407_part01of01.csv.gz", "wage_202407_correction01.csv.gz"))
    assert [one.part for one in offer.arrivals] == ["correction0001"]
    assert offer.waiting_for == "the control file wage_202407.ok"


def test_parts_of_another_number_than_announced_are_of_an_earlier_sending(
    wages: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    found = files("wage_202407_part01of01.csv.gz", "wage_202407_part01of02.csv.gz", "wage_202407_part02of02.csv.gz")
    at = dt.datetime(2024, 8, 1, tzinfo=dt.UTC)

    def offered(said: bytes) -> list[str]:
        control = FoundFile("wage_202407.ok", 1, at, lambda: [said[:3], said[3:]])
        return [one.source_name for one in offer_parts(wages, JULY, [*found, control]).arrivals]

    assert offered(b"parts=1 rows=60\n") == ["wage_202407_part01of01.csv.gz", "wage_202407.ok"]
    (line,) = caplog.messages
    assert "wage_202407_part01of02.csv.gz, wage_202407_part02of02.csv.gz" in line
    assert offered(b"parts=2 rows=60\n") == [*(file.name for file in found[1:]), "wage_202407.ok"]
    assert len(offered(b"rows=60\n")) == 4


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
        (b"parts=2 rows=120\n", {"parts": 2, "rows": 120}),
        (b"parts = 2\r\nrows = 120", {"parts": 2, "rows": 120}),
        (b"\xff\xfe rows=7", {"rows": 7}),
        (b"", {}),
    ],
)
def test_a_control_file_says_parts_and_rows(text: bytes, said: dict[str, int]) -> None:
    assert announced(text) == said
