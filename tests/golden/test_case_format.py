"""A case file that breaks the format is refused, with its name, the place and the fault."""

from __future__ import annotations

import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from tests.golden.golden_case import CaseError, all_rows, load_case

GOOD = """
indicator: M01-3
periods: [2016-03]
rows:
  fct_training:
    - {person: "a[1-2]", residence_area_code: 330106, completion_date: 2016-03-15}
expected:
  - {areas: [330106, 330100], period: 2016-03, numerator: 2, value: 2.0}
"""


def write(folder: Path, text: str, name: str = "m01-3.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_case_is_spread_out(tmp_path: Path) -> None:
    case = load_case(write(tmp_path, GOOD))
    first, second = case.rows["fct_training"]
    assert first["person_id"] != second["person_id"]
    assert isinstance(first["person_id"], uuid.UUID)
    assert first["enrollment_id"] != second["enrollment_id"]
    assert str(first["start_date"]) == "2016-02-14"
    assert [cell.area_code for cell in case.expected] == ["330106", "330100"]
    assert case.expected[0].facts["value"] == Decimal(2)
    assert case.expected[0].facts["denominator"] is None
    assert case.expected[0].facts["maturity"] == "final"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("value: 2.0", "vlaue: 2.0", r"m01-3\.yml: expected\[1\]: unknown key 'vlaue'; allowed: areas"),
        ("value: 2.0", "value: two", r"expected\[1\]: value 'two' is no number"),
        ("period: 2016-03,", "", r"expected\[1\]: the key 'period' is missing"),
        ("period: 2016-03,", "period: 2016-04,", r"period 2016-04 is not among the periods of the case"),
        ("periods: [2016-03]", "periods: [2016-13]", r"periods: '2016-13' is no period"),
        ("periods: [2016-03]\n", "", r"case: the key 'periods' is missing"),
        ("[330106, 330100]", "[330106, 330106]", r"is expected twice"),
        ("fct_training:", "fct_trainings:", r"rows: unknown table 'fct_trainings'; known: fct_training"),
        ('person: "a[1-2]", ', "", r"rows\.fct_training\[1\]: the key 'person' is missing"),
        ('"a[1-2]"', '"1a"', r"person '1a' is neither like a3 nor like a\[1-12\]"),
        ("value: 2.0", "shown: {value: 5}", r"expected\[1\]\.shown: the key 'text' is missing"),
        ("value: 2.0", "shown: {vlaue: 5, text: a}", r"expected\[1\]\.shown: unknown key 'vlaue'"),
        ("rows:", "elsewhere: [{periods: [2016-04]}]\nrows:", r"elsewhere: period 2016-04 is not among the periods"),
        ("value: 2.0", "said_before: 1", r"expected\[1\]: what was said before stands beside what is shown now"),
        # 江干区 became several districts
        ("_code: 330106", '_code: {sent: "330104", day: 2016-03-15}', r"a row of 330104 is refused, and reaches no"),
        ("indicator: M01-3", "indicator: M01-5", r"the case of M01-5 belongs in m01-5\.yml"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(CaseError, match=fault):
        load_case(write(tmp_path, GOOD.replace(old, new)))


def test_a_county_as_it_was_sent_is_the_one_that_a_load_makes_of_it(tmp_path: Path) -> None:
    """下城区 became part of 拱墅区, whose own code stayed."""
    for sent in ("330103", "330105"):
        text = GOOD.replace("residence_area_code: 330106", f'residence_area_code: {{sent: "{sent}", day: 2021-04-08}}')
        case = load_case(write(tmp_path, text))
        assert {row["residence_area_code"] for row in case.rows["fct_training"]} == {"330105"}


def test_a_file_without_a_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="a case is a mapping"):
        load_case(write(tmp_path, "- 1"))


WORLD = """
world: trainees
rows:
  fct_training:
    - {person: "a[1-2]", residence_county_code: 330106, completion_date: 2016-03-15}
"""
OF_THE_WORLD = """
indicator: M01-3
world: trainees
periods: [2016-03]
rows:
  fct_certificate:
    - {person: a1, level_code: "3", issue_county_code: 330106, issued_on: 2016-04-01}
expected:
  - {areas: [330106], period: 2016-03, numerator: 2, value: 2}
"""


def write_world(folder: Path, text: str = WORLD) -> Path:
    (folder / "worlds").mkdir()
    return write(folder / "worlds", text, "trainees.yml")


def test_cases_of_one_world_share_its_persons_and_load_them_once(tmp_path: Path) -> None:
    write_world(tmp_path)
    other = OF_THE_WORLD.replace("M01-3", "M01-5")
    cases = [
        load_case(write(tmp_path, text, name), tmp_path / "worlds")
        for text, name in ((OF_THE_WORLD, "m01-3.yml"), (other, "m01-5.yml"))
    ]
    tables = all_rows(cases)
    trained = [row["person_id"] for rows in tables for row in rows.get("fct_training", ())]
    certified = [row for rows in tables for row in rows.get("fct_certificate", ())]
    assert len(trained) == len(set(trained)) == 2
    assert {row["person_id"] for row in certified} <= set(trained)
    assert len({row["certificate_number"] for row in certified}) == len(certified) == 2


def test_a_person_of_no_world_is_another_than_that_of_a_world(tmp_path: Path) -> None:
    write_world(tmp_path)
    alone = load_case(write(tmp_path, GOOD))
    together = load_case(write(tmp_path, OF_THE_WORLD), tmp_path / "worlds")
    rows = [row for tables in all_rows([alone, together]) for row in tables.get("fct_training", ())]
    assert len({row["person_id"] for row in rows}) == len({row["enrollment_id"] for row in rows}) == 4


@pytest.mark.parametrize(
    ("world", "fault"),
    [
        (WORLD.replace("world: trainees\n", ""), r"trainees\.yml: world: the key 'world' is missing"),
        (WORLD.replace("trainees", "graduates"), r"the world graduates belongs in graduates\.yml"),
        (WORLD + "expected: []\n", r"trainees\.yml: world: unknown key 'expected'; allowed: world, rows"),
        (WORLD.replace("fct_training", "fct_train"), r"trainees\.yml: rows: unknown table 'fct_train'"),
        ("- 1", r"trainees\.yml: a world is a mapping"),
    ],
)
def test_a_fault_of_a_world_is_named(tmp_path: Path, world: str, fault: str) -> None:
    write_world(tmp_path, world)
    with pytest.raises(CaseError, match=fault):
        load_case(write(tmp_path, OF_THE_WORLD), tmp_path / "worlds")


def test_a_world_that_is_not_known_is_named_with_those_that_are(tmp_path: Path) -> None:
    write_world(tmp_path)
    text = OF_THE_WORLD.replace("world: trainees", "world: graduates")
    with pytest.raises(CaseError, match=r"m01-3\.yml: world: there is no world 'graduates'; known: trainees"):
        load_case(write(tmp_path, text), tmp_path / "worlds")
