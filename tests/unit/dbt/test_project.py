"""The dbt project against the contracts, the catalogue and itself; no database needed."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROJECT = ROOT / "dbt_project"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ADDITIVE = {"count", "sum", "amount", "ratio_of_sums", "ratio_of_amounts", "mean"}


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def properties() -> list[dict[str, Any]]:
    return [yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) for path in sorted(PROJECT.rglob("*.yml"))]


@cache
def models() -> dict[str, dict[str, Any]]:
    return {
        model["name"]: model for document in properties() for model in document.get("models") or () if "name" in model
    }


def sql_files() -> list[Path]:
    """Every model, for tests that ask something of each: were none found, they would ask nothing."""
    found = sorted(PROJECT.glob("models/**/*.sql"))
    assert len(found) > 50
    return found


def indicator_files() -> list[Path]:
    found = [path for path in sql_files() if path.name.startswith("ind_")]
    assert len(found) >= 20
    return found


def test_catalogue_is_whole() -> None:
    rows = seed("seed_indicator")
    # the plan's, and those of one's own
    assert len({row["indicator_code"] for row in rows}) == len(rows) >= 95
    actions = {row["action_code"] for row in seed("seed_action")}
    for row in rows:
        assert row["action_code"] in actions, row["indicator_code"]
        assert row["formula_zh"], row["indicator_code"]
        assert row["formula_en"], row["indicator_code"]
        assert bool(row["caveat_zh"]) == bool(row["caveat_en"]), row["indicator_code"]
        if row["is_built"] == "true":
            assert row["caveat_zh"], row["indicator_code"]
            assert row["horizon_feeds"], row["indicator_code"]
            assert row["time_basis"] in {"flow", "stock", "cohort", "published"}, row["indicator_code"]
            assert row["settles_zh"], row["indicator_code"]
            assert row["settles_en"], row["indicator_code"]
            assert int(row["matures_after_months"]) >= int(row["window_months"]), row["indicator_code"]
            feeds = set(row["horizon_feeds"].split(","))
            assert (row["time_basis"] == "cohort") == bool(row["cohort_feeds"]), row["indicator_code"]
            assert set(filter(None, row["cohort_feeds"].split(","))) <= feeds, row["indicator_code"]


def test_no_name_claims_an_effect_and_contribution_wages_are_called_so() -> None:
    rows = seed("seed_indicator")
    assert any("hrss/wage_records" in row["horizon_feeds"] for row in rows)
    for row in rows:
        texts = " ".join(row[f"{text}_{language}"] for text in ("name", "formula") for language in ("zh", "en"))
        assert not re.search(r"溢价|premium|效果|成效|提升效应|\beffect", texts), row["indicator_code"]
        # a ratio of sums counts who has a record, not what it says
        if "hrss/wage_records" in row["horizon_feeds"] and row["method"] != "ratio_of_sums":
            assert "缴费工资" in row["name_zh"], row["indicator_code"]
            assert "contribution wage" in row["name_en"].lower().replace("-", " "), row["indicator_code"]


def test_every_built_indicator_has_its_model() -> None:
    built = {
        f"ind_{row['indicator_code'].lower().replace('-', '_')}"
        for row in seed("seed_indicator")
        if row["is_built"] == "true"
    }
    assert built == {path.stem for path in indicator_files()}
    assert built <= set(models())


def codes_in(path: Path) -> set[str]:
    return set(re.findall(r"'([A-Z]\d{0,2}-\d+[a-z]?)'", path.read_text(encoding="utf-8")))


def test_no_model_names_the_code_of_an_indicator() -> None:
    """Which indicator a model is stands in the meta of its YAML alone."""
    assert {path.name: codes for path in sql_files() if (codes := codes_in(path))} == {}


def test_groups_of_counties_have_their_members() -> None:
    counties = {row["area_code"] for row in seed("seed_area") if row["area_level"] == "county"}
    assert len(counties) == 90
    members = seed("seed_area_member")
    for day, size in (("2024-07-31", 26), ("2024-08-01", 25), ("2025-05-27", 25), ("2025-05-28", 22)):
        in_force = {
            code: {
                row["county_code"]
                for row in members
                if row["area_code"] == code and row["valid_from"] <= day < row["valid_to"]
            }
            for code in ("G-MI", "G-MI-REST", f"G-MI{size}")
        }
        assert len(in_force["G-MI"]) == size
        assert in_force["G-MI"] == in_force[f"G-MI{size}"]
        assert in_force["G-MI"] | in_force["G-MI-REST"] == counties
        assert not in_force["G-MI"] & in_force["G-MI-REST"]


def test_lists_of_counties_are_groups_of_the_catalogue() -> None:
    groups = {row["area_code"] for row in seed("seed_area_member") if row["area_level"] == "group"}
    lists = seed("seed_county_list")
    assert [code for row in lists for code in (row["group_code"], row["rest_code"]) if code not in groups] == []
    broken_down = {row["wide_breakdown_values"] for row in seed("seed_indicator") if row["wide_breakdown"] == "list"}
    assert broken_down == {",".join(row["list_code"] for row in lists)}


# Says where a row comes from, to whoever reads the file.
PROVENANCE = re.compile(r"note(_\w\w)?|source(_\w+)?|reason|read_at")


def _readers() -> list[tuple[str, set[str]]]:
    """What can read a seed, as its text and the words that it has.

    A model or a test has also those of the macros that it calls, a module those of its package and of its pages.
    """
    macros = {path.stem: path.read_text(encoding="utf-8") for path in PROJECT.glob("macros/**/*.sql")}
    readers = []
    for path in (*sql_files(), *PROJECT.glob("tests/**/*.sql"), *PROJECT.glob("macros/**/*.sql")):
        text = path.read_text(encoding="utf-8")
        called = [macros[name] for name in re.findall(r"\b\w+(?=\()", text) if name in macros]
        readers.append((text, set(re.findall(r"\w+", " ".join((text, *called))))))
    for package in (ROOT / "plugins" / "threegaps").iterdir():
        files = [path for path in package.rglob("*") if path.suffix in {".py", ".html"}]
        text = " ".join(path.read_text(encoding="utf-8") for path in files)
        readers.append((text, set(re.findall(r"\w+", text))))
    return readers


def test_every_column_of_a_seed_is_read() -> None:
    """By what reads the seed."""
    readers = _readers()
    unread = {}
    for path in PROJECT.glob("seeds/*.csv"):
        words = set[str]().union(*(words for text, words in readers if re.search(rf"\b{path.stem}\b", text)))
        header = next(csv.reader([path.read_text(encoding="utf-8").partition("\n")[0]]))
        columns = {column for column in header if not PROVENANCE.fullmatch(column)}
        if left := columns - words:
            unread[path.stem] = left
    assert unread == {}


def test_labels_stand_in_both_languages() -> None:
    labels = [row for name in ("seed_breakdown", "seed_breakdown_value", "seed_method") for row in seed(name)]
    assert labels
    for row in labels:
        assert CHINESE.search(row["name_zh"]), row
        assert row["name_en"].isascii(), row


def test_what_nobody_has_stated_is_not_what_nobody_has() -> None:
    """`unstated`: the source does not say. `none`: it says that there is none."""
    not_stated = ("未注明", "not stated")
    for row in seed("seed_breakdown_value"):
        labels = (row["name_zh"], row["name_en"])
        assert (row["breakdown_value"] == "unstated") == (labels == not_stated), row
        assert (row["breakdown_value"] == "none") <= labels[1].startswith(("no ", "in no ")), row


def test_every_breakdown_has_its_values_and_every_unit_its_english() -> None:
    parts = [(row["breakdown"], row["breakdown_value"]) for row in seed("seed_breakdown_value")]
    assert len(set(parts)) == len(parts)
    assert {breakdown for breakdown, _ in parts} == {row["breakdown"] for row in seed("seed_breakdown")}
    assert {row["list_code"] for row in seed("seed_county_list")} == {
        value for breakdown, value in parts if breakdown == "list"
    }
    catalogue = seed("seed_indicator")
    assert {row["unit_zh"] for row in catalogue} <= {row["unit_zh"] for row in seed("seed_unit")}
    assert {row["method"] for row in seed("seed_method") if row["is_additive"] == "true"} == ADDITIVE


def accepted(name: str, column: str) -> set[str]:
    """The values that a column of a seed may have, as its test says."""
    (found,) = (
        one
        for document in properties()
        for node in document.get("seeds") or ()
        if isinstance(node, dict) and node["name"] == name
        for one in node["columns"]
        if one["name"] == column
    )
    (values,) = (
        test["accepted_values"]["arguments"]["values"] for test in found["data_tests"] if isinstance(test, dict)
    )
    return set(values)


def test_every_rule_of_a_method_is_one_that_the_macros_know() -> None:
    value = (PROJECT / "macros/cells/cell_value.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"when '(\w+)'", value)) | {"model"} == accepted("seed_method", "value_from")
    shown = (PROJECT / "macros/cells/disclosure.sql").read_text(encoding="utf-8")
    kinds = accepted("seed_method", "numerator_is")
    assert kinds == accepted("seed_method", "denominator_is")
    # an amount is not shown
    assert set(re.findall(r"\{\{ kind \}\} = '(\w+)'", shown)) == kinds - {"amount", "none"}
    for row in seed("seed_method"):
        for column in ("value_from", "numerator_is", "denominator_is", "shown_from"):
            assert row[column] in accepted("seed_method", column), row
    for row in seed("seed_unit"):
        assert row["change_unit"] in accepted("seed_unit", "change_unit"), row
        assert float(row["shown_to"]) > 0, row


def test_a_method_whose_parts_are_not_all_shown_shows_its_value() -> None:
    for row in seed("seed_method"):
        hidden = {row["numerator_is"], row["denominator_is"]} & {"amount"} or row["value_from"] == "model"
        assert (row["shown_from"] == "value") == bool(hidden), row["method"]


def test_the_cells_of_every_method_of_the_catalogue_are_tried() -> None:
    """On persons, on employers and on neither, as the catalogue has them; and none is expected without a value."""
    tests = {
        test["name"]: test
        for document in properties()
        for test in document.get("unit_tests") or ()
        if test["name"] in {"every_method_gives_a_value", "every_method_is_shown_with_a_value"}
    }
    tried: dict[str, set[tuple[str, str]]] = {}
    for name, test in tests.items():
        (rows,) = (given["rows"] for given in test["given"] if given["input"] == "ref('seed_indicator')")
        tried[name] = {(row["method"], row.get("disclosure", "")) for row in rows}
        assert {row["indicator_code"] for row in rows} == {row["indicator_code"] for row in test["expect"]["rows"]}
        assert all(row["value"] is not None for row in test["expect"]["rows"])
    catalogue = {(row["method"], row["disclosure"]) for row in seed("seed_indicator")}
    assert catalogue <= tried["every_method_is_shown_with_a_value"]
    assert {row["method"] for row in seed("seed_method")} == {
        method for method, _ in tried["every_method_gives_a_value"]
    }


def test_every_model_gives_what_its_method_needs() -> None:
    needed = {
        "numerator": {"numerator"},
        "quotient": {"numerator", "denominator"},
        "ratio_of_quotients": {"numerator", "denominator", "comparison_numerator", "comparison_denominator"},
        "difference": {"numerator", "denominator"},
        "model": {"value"},
    }
    methods = {row["method"]: row for row in seed("seed_method")}
    catalogue = {row["indicator_code"].lower().replace("-", "_"): row for row in seed("seed_indicator")}
    for path in indicator_files():
        indicator = catalogue[path.stem.removeprefix("ind_")]
        (given,) = re.findall(r"\{\{ base_cells\(\[(.*?)\]\)", path.read_text(encoding="utf-8"))
        columns = set(re.findall(r"'(\w+)'", given))
        assert needed[methods[indicator["method"]]["value_from"]] <= columns, path.name
        counted = {"persons": {"n_persons"}, "employers": {"n_employers", "largest_employer_share"}, "none": set()}
        assert counted[indicator["disclosure"]] <= columns, path.name


def test_each_target_says_which_document_it_comes_from() -> None:
    plans = {row["plan_version"]: row for row in seed("seed_plan_version")}
    targets = seed("seed_target")
    assert targets
    assert {row["plan_version"] for row in targets} <= set(plans)
    of_the_plan = {row["plan_version"] for row in targets if row["indicator_code"].startswith("M")} - {"report-2025"}
    assert of_the_plan == {"draft-2025-05"}
    assert plans["draft-2025-05"]["status_zh"] == "征求意见稿"
    # the plan says nothing of the gaps: theirs come from elsewhere, each with its source
    of_the_gaps = [row for row in targets if row["indicator_code"].startswith("G")]
    assert {row["indicator_code"] for row in of_the_gaps} == {"G1-1", "G2-4", "G2-5"}
    assert not {row["plan_version"] for row in of_the_gaps} & {"draft-2025-05", "final-2025-07"}
    assert all(row["baseline_source"] for row in of_the_gaps if row["baseline_value"])
    # no county quota is published: a county has a target for the skill ecosystem alone
    counties = {row["area_code"] for row in seed("seed_area") if row["area_level"] == "county"}
    assert {row["indicator_code"] for row in targets if row["area_code"] in counties} == {"M09-1"}


def misfits(targets: list[dict[str, str]]) -> list[str]:
    """The targets that their indicator's values cannot be held against, each with what does not fit.

    A target is in the unit of the value: a percentage lies between 1 and 100 (below 1 it is a share that was not
    multiplied), a ratio of highest to lowest is at least 1, a number is whole, and a baseline is of the target's size.
    """
    catalogue = {row["indicator_code"]: row for row in seed("seed_indicator")}
    levels = {row["area_code"]: row["area_level"] for row in seed("seed_area")}
    levels |= {row["area_code"]: row["area_level"] for row in seed("seed_area_member") if row["area_level"] == "group"}
    parts = {(row["breakdown"], row["breakdown_value"]) for row in seed("seed_breakdown_value")}
    served = {(row["indicator_code"], row["breakdown"]) for row in seed("seed_indicator_breakdown")}
    found = []
    for row in targets:
        code, indicator = row["target_code"], catalogue[row["indicator_code"]]
        value, baseline = float(row["target_value"]), float(row["baseline_value"] or row["target_value"])
        unit = indicator["unit_zh"]
        in_unit = {"%": 1 <= value <= 100, "倍": 1 <= value <= 10}.get(unit, value.is_integer())
        is_published = indicator["method"] == "published"
        fits = {
            "period type": row["period_type"] in indicator["period_types"].split(","),
            "level": levels[row["area_code"]] in indicator["levels"].split(","),
            "breakdown": (row["breakdown"], row["breakdown_value"]) in parts,
            "part": indicator["is_built"] != "true"
            or is_published
            or (indicator["indicator_code"], row["breakdown"]) in served,
            # a year's number begins at zero
            "magnitude": in_unit and (baseline == 0 or 0.1 < baseline / value < 10),
        }
        found += [f"{code}: {what}" for what, is_so in fits.items() if not is_so]
    return found


def test_each_target_fits_the_values_that_it_is_held_against() -> None:
    targets = seed("seed_target")
    assert misfits(targets) == []
    # of several days each has its own target, and a version of the plan states one for a day
    key = ("plan_version", "indicator_code", "area_code", "period_type", "breakdown", "breakdown_value", "target_date")
    assert [of for of, times in Counter(tuple(row[name] for name in key) for row in targets).items() if times > 1] == []
    assert [row["target_code"] for row in targets if not row["baseline_date"] < row["target_date"]] == []


@pytest.mark.parametrize(
    ("code", "change", "misfit"),
    [
        ("G2-4/G-MI26/2027", {"target_value": "0.75"}, "magnitude"),
        ("G2-5/330000/2025", {"target_value": "155"}, "magnitude"),
        ("G1-1/330000/2027", {"baseline_value": "196"}, "magnitude"),
        ("M03-3/330000/2027", {"target_value": "9.5"}, "magnitude"),
        ("M02-1/330000/2027", {"period_type": "month"}, "period type"),
        ("G2-5/330000/2025", {"area_code": "330102"}, "level"),
        ("M02-1/330000/2025/county_seat", {"breakdown_value": "09"}, "breakdown"),
        ("M08-1/330000/2027", {"breakdown": "sex", "breakdown_value": "F"}, "part"),
    ],
)
def test_a_target_that_does_not_fit_is_found(code: str, change: dict[str, str], misfit: str) -> None:
    (target,) = (row for row in seed("seed_target") if row["target_code"] == code)
    assert misfits([target | change]) == [f"{code}: {misfit}"]


def test_a_target_is_confirmed_where_its_own_document_was_read_and_is_in_force() -> None:
    plans = {row["plan_version"]: row for row in seed("seed_plan_version")}
    for row in seed("seed_target"):
        plan = plans[row["plan_version"]]
        assert (row["is_confirmed"] == "true") == (plan["read_in"] == "文件本身" and plan["is_in_force"] == "true"), row


def test_a_document_is_cited_by_its_own_name_and_by_no_address_but_an_official_one() -> None:
    """A report to a governor quotes the document; where it was read of, a repost too, is for whoever checks it."""
    plans = seed("seed_plan_version")
    assert [
        row["plan_version"] for row in plans if not (row["issuer_zh"] and row["issuer_en"] and row["title_zh"])
    ] == []
    hosts = {urlsplit(row["official_url"]).hostname for row in plans if row["official_url"]}
    assert hosts
    assert [host for host in hosts if not str(host).endswith(".gov.cn")] == []
    assert [row["plan_version"] for row in plans if not row["read_in"] or "://" in row["read_in"]] == []


def served_models() -> list[dict[str, Any]]:
    found = [model for model in models().values() if (model.get("config", {}).get("meta") or {}).get("served")]
    assert len(found) >= 10
    return found


@pytest.mark.parametrize("model", served_models(), ids=lambda model: model["name"])
def test_served_model_is_described(model: dict[str, Any]) -> None:
    meta = model["config"]["meta"]
    names = [column["name"] for column in model["columns"]]
    assert model["config"]["contract"] == {"enforced": True}
    assert meta["row_policy"] in {"county", "none"}
    assert set(meta["key"]) <= set(names)
    assert {column for index in meta["indexes"] for column in index} <= set(names)
    if meta["row_policy"] == "county":
        assert "area_code" in names
    for text in (model["description"], *(column["description"] for column in model["columns"])):
        assert CHINESE.search(text), text


def test_no_model_reads_what_a_run_said() -> None:
    """No free text is served; codes, rules and outcomes are."""
    spoken = re.compile(r"\bmessage(_zh|_en)?\b|\breasons?\b(?!_)|\brow_data\b|\bnote\b", re.IGNORECASE)
    texts = {path.name: path.read_text(encoding="utf-8") for path in sql_files()}
    of_runs = {name: text for name, text in texts.items() if re.search(r"source\('(ops|quarantine)'", text)}
    assert len(of_runs) >= 3
    assert [name for name, text in of_runs.items() if spoken.search(re.sub(r"--.*", "", text))] == []
    names = [column["name"] for model in models().values() for column in model.get("columns", ())]
    assert names
    assert [name for name in names if "message" in name] == []


def test_no_model_takes_parameters_from_the_command_line() -> None:
    paths = {*sql_files(), *PROJECT.rglob("*.sql"), *PROJECT.rglob("*.yml")}
    for path in sorted(paths):
        assert not re.search(r"\{\{\s*var\(", path.read_text(encoding="utf-8")), path
