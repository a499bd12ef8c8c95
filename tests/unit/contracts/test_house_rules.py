"""What a contract of ours must say of people, law and standards: each omission and contradiction is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from threegaps.contracts.authorities import AUTHORITIES
from threegaps.contracts.house_rules import problems
from threegaps.contracts.loader import load_contract, read_document
from threegaps.errors import ContractError

ROOT = Path(__file__).parents[3] / "expectations"
NEWCOMER = Path(__file__).parents[2] / "fixtures" / "newcomer" / "expectations" / "hrss" / "skill_fairs.odcs.yaml"

Change = Callable[[dict[str, Any]], None]


def written(feed: str = "hrss/wage_records") -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / f"{feed}.odcs.yaml").read_text(encoding="utf-8"))
    return document


def found(document: dict[str, Any]) -> list[str]:
    content = yaml.safe_dump(document, allow_unicode=True).encode()
    return list(problems(read_document(Path("x.odcs.yaml"), content)))


def column(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["schema"][0]["properties"] if one["name"] == name)


def custom(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["customProperties"] if one["property"] == name)


def without(document: dict[str, Any], name: str) -> None:
    document["customProperties"] = [one for one in document["customProperties"] if one["property"] != name]


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("*/*.odcs.yaml")), NEWCOMER], ids=lambda path: path.stem)
def test_our_contracts_say_all(path: Path) -> None:
    assert list(problems(read_document(path, path.read_bytes()))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.pop("team"), "team: "),
        (lambda one: one["team"].pop("members"), "team: "),
        (lambda one: one.pop("support"), "support: "),
        (lambda one: one["roles"].pop(0), "roles: pipeline has write"),
        (lambda one: one["roles"][1].update(access="write"), "roles: bi_reader has read"),
        (lambda one: one["roles"].append({"role": "guest", "access": "write"}), "roles: guest cannot"),
        (lambda one: one["tags"].remove("personal-data"), "tags: personal-data"),
        (lambda one: one.pop("tags"), "tags: name the measures"),
        (lambda one: custom(one, "rowZh").update(value="a row"), "rowZh: is not Chinese"),
        (lambda one: without(one, "legalBasis"), "legalBasis: "),
        (lambda one: without(one, "sharing"), "sharing: say"),
        (lambda one: without(one, "statutoryMark"), "statutoryMark: say"),
        (
            lambda one: custom(one, "statutoryMark")["value"].update(activityZh="a record"),
            "statutoryMark: its words are not Chinese",
        ),
        (
            lambda one: one["customProperties"].append({"property": "isPublished", "value": True}),
            "statutoryMark: published statistics",
        ),
        (
            lambda one: custom(one, "sharing").update(value={"kind": "unconditional", "isOpen": False}),
            "sharing: rows about persons",
        ),
        (
            lambda one: custom(one, "sharing").update(value={"kind": "none", "isOpen": True}),
            "sharing: rows about persons",
        ),
        (lambda one: one["slaProperties"][2].update(value=23), "slaProperties/retention: is under 24 months"),
        (
            lambda one: one["customProperties"].append({"property": "isSummary", "value": True}),
            "slaProperties/retention: is under 120 months",
        ),
        (lambda one: one["authoritativeDefinitions"].pop(0), "document: does not cite DB33/T 2351"),
        (
            lambda one: one["authoritativeDefinitions"][0].update(url="urn:standard:db33-t:2350:2022"),
            "document: cites urn:standard:db33-t:2350:2022",
        ),
        (
            lambda one: one["authoritativeDefinitions"][0].update(description="DB33/T 2350—2022 数字化改革术语"),
            "document: cites urn:standard:db33-t:2351:2021 otherwise",
        ),
        (lambda one: column(one, "resident_id").pop("authoritativeDefinitions"), "does not cite GB 11643"),
        (lambda one: column(one, "resident_id").pop("physicalName"), "column resident_id: say `physicalName"),
        (lambda one: column(one, "work_county_code").pop("authoritativeDefinitions"), "does not cite GB/T 2260"),
        (lambda one: column(one, "uscc").pop("authoritativeDefinitions"), "does not cite GB 32100"),
        (lambda one: column(one, "industry_code").pop("authoritativeDefinitions"), "does not cite GB/T 4754"),
        (
            lambda one: column(one, "uscc")["customProperties"].append({"property": "noteZh", "value": "none"}),
            "column uscc: noteZh",
        ),
    ],
)
def test_an_omission_or_contradiction_is_found(change: Change, said: str) -> None:
    document = written()
    change(document)
    assert any(said in problem for problem in found(document)), found(document)


def test_published_figures_are_kept_ten_years() -> None:
    document = written("statistics/resident_income")
    document["slaProperties"][2].update(value=119)
    assert any("under 120 months" in problem for problem in found(document))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda one: one["team"]["members"][0].update(username="zhang.san@example.org"), "team/members/0/username"),
        (lambda one: one["support"][0].update(channel="https://desk.example.org"), "support/0/channel"),
        (lambda one: one["support"][0].update(url="https://desk.example.org"), "support/0/url"),
        (lambda one: one["authoritativeDefinitions"][0].update(url="DB33/T 2351"), "authoritativeDefinitions/0/url"),
        (
            lambda one: custom(one, "sharing").update(value={"kind": "conditional", "isOpen": False}),
            "conditionZh",
        ),
        (
            lambda one: custom(one, "sharing").update(
                value={"kind": "none", "isOpen": False, "conditionZh": "仅限本行动"}
            ),
            "conditionZh",
        ),
        (lambda one: one["roles"][0].update(access="owner"), "roles/0/access"),
    ],
)
def test_persons_addresses_and_slips_are_refused_as_the_file_is_read(change: Change, path: str) -> None:
    document = written()
    change(document)
    with pytest.raises(ContractError, match=path):
        found(document)


@pytest.mark.parametrize(
    ("name", "physical", "said"),
    [
        ("uscc", "UNIT_CODE", "the raw table's column is uscc, not UNIT_CODE"),
        ("resident_id", "resident_id", "the raw table's column is person_id"),
        ("amount_unit", "amount_unit", "physicalName: a column that is not stored has none"),
    ],
)
def test_a_physical_name_is_the_raw_tables_column(tmp_path: Path, name: str, physical: str, said: str) -> None:
    document = written()
    column(document, name)["physicalName"] = physical
    path = tmp_path / "wage_records.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError, match=said):
        load_contract(path)


def test_what_may_be_cited_has_a_number_or_a_title_of_its_own() -> None:
    titles = [authority.title for authority in AUTHORITIES.values()]
    assert len(set(titles)) == len(titles)
    assert all(not one.startswith(other) for one in titles for other in titles if one != other)
