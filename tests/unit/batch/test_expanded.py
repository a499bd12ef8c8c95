"""What the expanded form of a contract says, Great Expectations runs as it stands, with the pipeline's verdicts.

The suites are made from the printed document alone; the frames as `threegaps.rules.frames` documents them.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from open_data_contract_standard.model import OpenDataContractStandard

from tests.unit.batch.batches import KEY, ROOT, WAGES
from tests.unit.batch.test_uniqueness import PARTS, Parts, fates
from tests.unit.feeds.feed_fixture import FeedFixture, load_fixture
from threegaps.batch.accepted import row_versions
from threegaps.batch.certify import Certifier
from threegaps.batch.decode import Part
from threegaps.batch.frames import JudgedFrame, as_columns, rows_frame, to_pandas
from threegaps.batch.judge import Judgement
from threegaps.batch.normalise import Normaliser
from threegaps.batch.reading import data_blocks, faulty_block
from threegaps.batch.row_rules import unexpected
from threegaps.calendar import Delivery
from threegaps.contracts.expanded import as_yaml, expand
from threegaps.contracts.lint import standard_problems
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.rules.frames import BATCH_COLUMNS, LINE_COLUMNS, SENDING, VERSION
from threegaps.rules.model import Rule
from threegaps.rules.registry import KINDS

CONTRACTS = load_contracts(ROOT)
Broken = defaultdict[tuple[int, int], set[str]]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_the_expanded_form_is_of_the_standard_and_says_every_rule(contract: Contract) -> None:
    document = yaml.load(as_yaml(expand(contract)), yaml.CSafeLoader)
    assert standard_problems(document) == []
    OpenDataContractStandard.model_validate(document)
    said = {rule["name"]: rule for rule in qualities(document)}
    rules = (*contract.rules, *contract.batch_rules)
    assert said.keys() == {rule.rule for rule in rules}
    for rule in rules:
        entry = said[rule.rule]
        assert (entry["dimension"], entry["severity"]) == (
            rule.dimension,
            "warning" if rule.action == "warn" else "error",
        )
        described = columns_of(document)
        named = [value for name, value in entry["implementation"]["kwargs"].items() if name.startswith("column")]
        flat = [one for value in named for one in ([value] if isinstance(value, str) else value)]
        assert flat
        assert set(flat) <= described


def qualities(document: dict[str, Any], name: str | None = None) -> list[dict[str, Any]]:
    """The rules of the document, or of the object of its schema whose name ends so."""
    return [
        rule
        for one in document["schema"]
        if name is None or one["name"].endswith(name)
        for described in (*one["properties"], one)
        for rule in described.get("quality", [])
    ]


def columns_of(document: dict[str, Any]) -> set[str]:
    return {column["name"] for one in document["schema"] for column in one["properties"]}


def run(frame: pl.DataFrame, rules: list[dict[str, Any]]) -> dict[str, list[int]]:
    """By rule, the indexes of the rows that Great Expectations finds unexpected."""
    batch = Certifier.prepare().get_batch({"dataframe": to_pandas(frame)})
    from great_expectations.core import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    suite = ExpectationSuite(
        name="expanded",
        expectations=[ExpectationConfiguration(**rule["implementation"]).to_domain_obj() for rule in rules],
    )
    answer = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    assert not any('raised_exception": true' in str(result) for result in answer.results)
    assert len(answer.results) == len(rules)
    return {
        result.expectation_config.meta["rule"]: [] if result.success else result.result["unexpected_index_list"]
        for result in answer.results
    }


@dataclass
class Read:
    """A fixture as its frames: typed rows, where each was read, its columns that could not be had; and lines."""

    rows: list[pl.DataFrame] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    unread: list[set[str]] = field(default_factory=list)
    lines: list[tuple[tuple[int, int], int, int, int]] = field(default_factory=list)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_the_fixture_gets_the_pipeline_s_verdicts(contract: Contract) -> None:
    fixture = load_fixture(contract)
    document = yaml.load(as_yaml(expand(contract)), yaml.CSafeLoader)
    read = read_fixture(contract, fixture)
    rows, broken = pl.concat(read.rows), Broken(set)
    by_name = {rule.rule: rule for rule in contract.rules}
    (table, *_) = document["schema"]
    for name, indexes in run(rows, qualities(document, table["name"])).items():
        for index in indexes if by_name[name].action == "refuse" else ():
            # What could not be had is not empty: nothing is said of it.
            if not read.unread[index] & set(by_name[name].columns):
                broken[read.places[index]].add(name)
    lines = pl.DataFrame(read.lines, schema=["place", *LINE_COLUMNS], orient="row").drop("place")
    for name, indexes in run(lines, qualities(document, "_lines")).items():
        for index in indexes:
            broken[read.lines[index][0]].add(name)
    passed = [index for index, place in enumerate(read.places) if place not in broken]
    (key_rule,) = qualities(document, "_passed")
    for index in run(rows[passed], [key_rule])[key_rule["name"]]:
        broken[read.places[passed[index]]].add(key_rule["name"])
    assert broken == fixture.refused
    verdict = judged(contract, fixture)
    counts = {"received": verdict.counts.received, "refused": len(broken), "duplicates": verdict.counts.duplicates}
    counters = {**dict.fromkeys(BATCH_COLUMNS, 0.0), **counts, "previous_received": None}
    frame = pl.DataFrame([pl.Series(name, [counters[name]], dtype=pl.Float64, strict=False) for name in BATCH_COLUMNS])
    outcomes = {check.rule: check.unexpected for check in verdict.checks}
    for name, indexes in run(frame, qualities(document, "_batch")).items():
        assert len(indexes) == outcomes[name]


def read_fixture(contract: Contract, fixture: FeedFixture) -> Read:
    """The fixture's rows and lines, in the order in which they are read."""
    normaliser = Normaliser(contract, Delivery.parse(contract.cadence, fixture.delivery).end)
    read, declared = Read(), len(contract.columns)
    for block in data_blocks(contract, parts_of(contract, fixture), normaliser):
        shown, faulty = faulty_block(contract, block)
        number = block.part.landed_object_id
        for one, unread in (
            (block, [set[str]() for _ in range(block.frame.height)]),
            (shown, [{fault.column for fault in row.faults if fault.column} for row in faulty]),
        ):
            if not one.frame.height:
                continue
            columns = normaliser.columns(one.frame)
            versions = pl.Series(VERSION, row_versions(contract, fixture.delivery, columns))
            sending = pl.lit(number if contract.delivery_kind == "changes" else 0, dtype=pl.Int64).alias(SENDING)
            read.rows.append(rows_frame(columns).with_columns(sending, versions))
            read.places += [(number, row) for row in one.row_numbers]
            read.unread += unread
        read.lines += [((number, row), declared, declared, 0) for row in block.row_numbers]
        read.lines += [
            ((number, row.row_number), declared if row.fields is None else row.fields, declared, len(row.faults))
            for row in block.faulty
        ]
    return read


def parts_of(contract: Contract, fixture: FeedFixture) -> list[Part]:
    end = Delivery.parse(contract.cadence, fixture.delivery).end
    return [
        Part(number, name, lambda content=content: io.BytesIO(content), delivery_end=end)
        for number, (name, content) in enumerate(fixture.files.items(), 1)
    ]


def judged(contract: Contract, fixture: FeedFixture) -> Any:
    judgement = Judgement(contract, parts_of(contract, fixture), batch_id=1, delivery=fixture.delivery, key=KEY)
    list(judgement.blocks())
    return judgement.finish()


def rule_of(expectation: str) -> Rule:
    return next(rule for rule in (*WAGES.rules, *WAGES.batch_rules) if rule.expectation == expectation)


COUNTED = [kind.expectation for kind in KINDS.values() if kind.scope in {"line", "batch"}]
COUNTERS = st.one_of(st.integers(0, 12), st.integers(90, 120))


@pytest.mark.parametrize("expectation", COUNTED)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_lines_and_counters_are_judged_alike_in_columns(expectation: str, data: st.DataObject) -> None:
    rule = rule_of(expectation)
    reads = set(LINE_COLUMNS if rule.kind.scope == "line" else BATCH_COLUMNS)
    rows = data.draw(st.lists(st.tuples(*(COUNTERS for _ in reads), st.booleans()), min_size=40, max_size=40))
    frame = pl.DataFrame(
        [
            pl.Series(
                name,
                [None if name == "previous_received" and row[-1] else float(row[place]) for row in rows],
                dtype=pl.Float64,
            )
            for place, name in enumerate(sorted(reads))
        ]
    )
    verdict = unexpected(rule, as_columns(frame))
    assert Certifier(WAGES).certify(JudgedFrame([rule], frame, {rule.rule: verdict}, None)) == {rule.rule}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(parts=PARTS, step=st.integers(1, 12))
def test_keys_are_judged_alike_by_the_register(parts: Parts, step: int) -> None:
    rule = rule_of("expect_keys_not_to_be_contradicted")
    rows = [
        (index, number, row, index + 1 if correction else 0)
        for index, (correction, own) in enumerate(parts)
        for number, row in enumerate(own, 1)
    ]
    frame = pl.DataFrame(
        {
            "key": [row.key for _, _, row, _ in rows],
            "content": [row.content if row.content else None for _, _, row, _ in rows],
            SENDING: [sending for *_, sending in rows],
            VERSION: [row.version for _, _, row, _ in rows],
        },
        schema=dict.fromkeys(("key", "content", SENDING, VERSION), pl.Int64),
    )
    expected = rule.kind.condition(to_pandas(frame), key_columns=["key"])  # type: ignore[misc]
    found = {(index, number) for (index, number, *_), fine in zip(rows, expected, strict=True) if not fine}
    assert found == {place for place, fate in fates(parts, step).items() if fate == "refused"}
