"""The contracts of the repository, and what the loader refuses."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from threegaps.contracts.lint import lint_contract
from threegaps.contracts.loader import find_contract, forget, load_contract, load_contracts, unread
from threegaps.contracts.tables import accepted_columns, raw_columns, raw_key
from threegaps.errors import ContractError

ROOT = Path(__file__).parents[3] / "expectations"
PATHS = sorted(ROOT.glob("*/*.odcs.yaml"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_contract_is_valid_by_the_standard_and_the_house(path: Path) -> None:
    assert lint_contract(path) == []


def test_all_feeds_are_described_in_order() -> None:
    feeds = [contract.feed for contract in load_contracts(ROOT)]
    assert feeds == sorted(f"{path.parent.name}/{path.name.removesuffix('.odcs.yaml')}" for path in PATHS)
    assert "hrss/wage_records" in feeds


def test_contracts_are_read_in_a_small_multiple_of_parsing_their_yaml() -> None:
    """Every process that reads a DAG reads them; the peer is libyaml on the same files in the same run."""
    texts = [path.read_text(encoding="utf-8") for path in PATHS]

    def least(work: Callable[[], object]) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    parsing = least(lambda: [yaml.load(text, yaml.CSafeLoader) for text in texts])

    def read_anew() -> None:
        forget()
        load_contracts(ROOT)

    assert least(read_anew) < 6 * parsing


def test_what_is_read_again_is_read_once_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / PATHS[0].parent.name / PATHS[0].name
    path.parent.mkdir()
    path.write_bytes(PATHS[0].read_bytes())
    first = load_contract(path)
    assert load_contract(path) is first
    path.write_bytes(path.read_bytes() + b"# another file\n")
    assert load_contract(path).hash != first.hash


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from threegaps.contracts.loader import load_contracts;"
        f"load_contracts(Path({str(ROOT)!r}));"
        "print(sorted({'polars', 'pandas', 'great_expectations', 'numpy', 'jsonschema'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_expectation_without_translation_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "wage_records.odcs.yaml"
    text = (ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8")
    path.write_text(
        text.replace("expect_credit_code_to_be_valid", "expect_column_values_to_be_increasing"), encoding="utf-8"
    )
    with pytest.raises(ContractError, match="expect_column_values_to_be_increasing"):
        load_contract(path)


@pytest.mark.parametrize("rule", ["key_unique", "row_shape"])
def test_a_rule_against_rows_that_no_table_can_hold_must_refuse(rule: str, tmp_path: Path) -> None:
    path = tmp_path / "wage_records.odcs.yaml"
    text = (ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8")
    differing = (
        f"    quality:\n      - {{name: {rule}, type: custom, engine: greatExpectations,"
        " implementation: {meta: {action: warn}}}\n"
    )
    path.write_text(text + differing, encoding="utf-8")
    with pytest.raises(ContractError, match=rf"{rule}.*must be refuse"):
        load_contract(path)


@pytest.mark.parametrize("fault", ["version", "person", "key", "grade", "protocol", "kind"])
def test_what_the_pipeline_cannot_serve_is_refused_at_load(fault: str, tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8"))
    columns = {column["name"]: column for column in document["schema"][0]["properties"]}
    delivery = next(one["value"] for one in document["customProperties"] if one["property"] == "delivery")
    reached = document["servers"][0]["customProperties"]
    match fault:
        case "version":
            delivery["versionColumn"] = "recorded_on"
            column, said = "recorded_on", "correction number"
        case "person":
            columns["resident_id"].update(required=False)
            for name in ("primaryKey", "primaryKeyPosition"):
                del columns["resident_id"][name]
            column, said = "resident_id", "the person must be required"
        case "key":
            columns["scheme"]["required"] = False
            column, said = "scheme", "column of the key must be required"
        case "grade":
            columns["employer_code"]["classification"] = "L4"
            column, said = "employer_code", "stored: false"
        case "protocol":
            source = next(one for one in reached if one["property"] == "source")
            source["value"] = {"protocol": "database", "schemaName": "public", "table": "wages"}
            column, said = "", "full_period by sftp or file_drop"
        case _:
            delivery["kind"] = "changes"
            column, said = "", "changes by http or database"
    path = tmp_path / "wage_records.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError, match=said) as refused:
        load_contract(path)
    assert (refused.value.feed, refused.value.column or "") == ("hrss/wage_records", column)
    assert refused.value.advice


def test_missing_part_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wage_records.odcs.yaml"
    text = (ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "property: timeOfAvailability" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ContractError, match="timeOfAvailability"):
        load_contract(path)


def test_lint_says_when_a_grade_or_a_label_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "hrss"
    folder.mkdir()
    path = folder / "wage_records.odcs.yaml"
    text = (ROOT / "hrss" / "wage_records.odcs.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("classification: L4", "classification: L9", 1), encoding="utf-8")
    assert any("classification" in problem for problem in lint_contract(path))
    path.write_text(text.replace('businessName: "险种"', 'businessName: "scheme"', 1), encoding="utf-8")
    assert any("scheme" in problem for problem in lint_contract(path))
    path.write_text(text.replace("apiVersion: v3.1.0", "apiVersion: v9"), encoding="utf-8")
    assert lint_contract(path)


@pytest.mark.parametrize(
    "place",
    ["hrss/wages.odcs.yml", "hrss/wages.yaml", "wages.odcs.yaml", "hrss/county/wages.odcs.yaml", "a/B.ODCS.YML"],
)
def test_what_looks_like_a_contract_and_is_not_read_is_named(place: str, tmp_path: Path) -> None:
    for path in (tmp_path / "hrss/certificates.odcs.yaml", tmp_path / "hrss/README.md", tmp_path / place):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [path.as_posix() for path in unread(tmp_path)] == [place]


def test_unknown_feed_is_refused() -> None:
    with pytest.raises(ContractError, match="hrss/nothing"):
        find_contract(ROOT, "hrss/nothing")


def test_raw_table_has_a_pseudonym_in_place_of_the_document() -> None:
    wages = find_contract(ROOT, "hrss/wage_records")
    columns = accepted_columns(wages)
    assert "resident_id" not in columns
    assert "amount_unit" not in columns
    assert columns[-7:] == (
        "birth_year", "sex", "_batch_id", "_landed_object_id", "_row_number", "_version", "_withdrawn",
    )  # fmt: skip
    assert raw_key(wages) == ("person_id", "employer_code", "wage_month", "scheme", "payment_type")
    types = {column.name: column.sql_type for column in raw_columns(wages)}
    assert types["person_id"] == "uuid"
    assert types["wage_month"] == "date"
