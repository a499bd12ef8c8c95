"""Every kind of rule is whole: arguments, messages, a form in columns, a class of Great Expectations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from threegaps.contracts.loader import load_contract, load_contracts
from threegaps.errors import ContractError
from threegaps.rules import kinds
from threegaps.rules.kinds.text_of_type import TextOfType
from threegaps.rules.model import RuleKind
from threegaps.rules.registry import KINDS
from threegaps.settings import Settings

ROOT = Settings.load().contracts_folder
CONTRACTS = load_contracts(ROOT)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.expectation)
def test_a_kind_is_whole(kind: RuleKind) -> None:
    from threegaps.rules.great_expectations_classes import CLASSES

    assert kind.arguments.__doc__
    assert (kind.unexpected is None) == (kind.scope == "key"), "the batch's register compares keys, nothing else"
    bases = CLASSES[kind.expectation].__mro__
    is_core = any(base.__module__.startswith("great_expectations.expectations.core") for base in bases)
    assert is_core == (kind.condition is None)
    assert kind.scope != "batch" or kind.action != "refuse"
    used = [rule for contract in CONTRACTS for rule in (*contract.rules, *contract.batch_rules) if rule.kind is kind]
    assert used, "no contract uses it"


def test_every_file_is_a_kind_of_its_own() -> None:
    files = {path.stem for path in Path(kinds.__path__[0]).glob("*.py")} - {"__init__"}
    assert len(files) == len(KINDS)


def test_messages_are_in_both_languages_and_name_no_value() -> None:
    for contract in CONTRACTS:
        for rule in (*contract.rules, *contract.batch_rules):
            assert any("一" <= character <= "鿿" for character in rule.message_zh), rule.rule
            # The words for yes and for no are what has to be written, in whatever language.
            words = (isinstance(rule.arguments, TextOfType) and rule.arguments.words) or ()
            assert not {sign for sign in rule.message_en if not sign.isascii()} - set("".join(words)), rule.rule
            assert "{" not in rule.message_zh.replace(str(rule.arguments.others().get("regex")), "")


def test_rules_are_read_without_what_judges_them() -> None:
    code = (
        "import sys; import threegaps.rules.registry;"
        "print(sorted({'polars', 'pandas', 'great_expectations', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def changed(tmp_path: Path, feed: str, change: object) -> Path:
    """A copy of a feed's contract after *change* of its columns by name and of its table."""
    document = yaml.safe_load((ROOT / f"{feed}.odcs.yaml").read_text(encoding="utf-8"))
    table = document["schema"][0]
    change({column["name"]: column for column in table["properties"]}, table)  # type: ignore[operator]
    path = tmp_path / f"{feed.split('/')[1]}.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def own(rule: str, expectation: str, **kwargs: object) -> dict[str, object]:
    return {
        "name": rule,
        "type": "custom",
        "engine": "greatExpectations",
        "implementation": {"type": expectation, "kwargs": kwargs},
    }


def rules_of_table(table: dict[str, object], *rules: dict[str, object]) -> None:
    table["quality"] = [*table.get("quality", []), *rules]  # type: ignore[misc]


WRONG = {
    "misspelt argument": (
        own("late", "expect_date_within_years_of", column="recorded_on", other_column="wage_month", yeers=3),
        "quality/0/implementation/kwargs/yeers: unknown key; did you mean 'years'",
    ),
    "missing argument": (
        own("late", "expect_date_within_years_of", column="recorded_on", other_column="wage_month"),
        "quality/0/implementation/kwargs/years: is missing",
    ),
    "wrong type": (
        own("late", "expect_date_within_years_of", column="recorded_on", other_column="wage_month", years="3"),
        "quality/0/implementation/kwargs/years: input should be a valid integer",
    ),
    "misspelt kind": (
        own("late", "expect_date_within_year_of", column="recorded_on", other_column="wage_month", years=3),
        "quality/0/implementation/type: 'expect_date_within_year_of' is no kind of rule; did you mean"
        " 'expect_date_within_years_of'",
    ),
    "argument of Great Expectations that columns do not know": (
        own("codes", "expect_column_values_to_be_in_set", column="scheme", value_set=["110"], mostly=0.9),
        "kwargs/mostly: unknown key",
    ),
    "column that is not described": (
        own("late", "expect_date_within_years_of", column="recorded_at", other_column="wage_month", years=3),
        "quality/0/implementation/kwargs/column .rule late. names a column",
    ),
    "column of another type": (
        own("late", "expect_date_within_years_of", column="scheme", other_column="wage_month", years=3),
        "kwargs/column .rule late.: names a column that is a string; it judges date",
    ),
    "value of another type": (
        own("codes", "expect_column_values_to_be_in_set", column="scheme", value_set=[110]),
        "kwargs/value_set .rule codes.: has a value that no string can have",
    ),
    "bound that is no day": (
        own("range", "expect_column_values_to_be_between", column="recorded_on", min_value="2015-13-01"),
        "kwargs/.*month must be in 1..12",
    ),
    "pattern that columns cannot judge": (
        own("form", "expect_column_values_to_match_regex", column="scheme", regex="^(?!9)[0-9]{3}$"),
        "kwargs/regex: looks around itself",
    ),
    "batch that is refused": (
        own("share", "expect_refused_share_to_be_below", max_share=1.5),
        "kwargs/max_share: input should be less than or equal to 1",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_rule_is_refused_with_its_path(case: str, tmp_path: Path) -> None:
    rule, said = WRONG[case]
    path = changed(tmp_path, "hrss/wage_records", lambda _, table: rules_of_table(table, rule))
    with pytest.raises(ContractError, match=said) as refused:
        load_contract(path)
    assert refused.value.feed == "hrss/wage_records"


def test_a_derived_rule_that_cannot_be_is_refused(tmp_path: Path) -> None:
    def change(columns: dict[str, dict[str, object]], _: object) -> None:
        columns["recorded_on"]["logicalTypeOptions"] = {"minimum": "2015-02-30"}

    with pytest.raises(ContractError, match="logicalTypeOptions/minimum: is no day"):
        load_contract(changed(tmp_path, "hrss/wage_records", change))


def test_a_rule_of_ones_own_needs_no_more_than_its_kind(tmp_path: Path) -> None:
    rule = own("late", "expect_date_within_years_of", column="recorded_on", other_column="wage_month", years=3)
    path = changed(tmp_path, "hrss/wage_records", lambda _, table: rules_of_table(table, rule))
    late = next(rule for rule in load_contract(path).rules if rule.rule == "late")
    assert (late.message_zh, late.action, late.dimension) == (
        "业务日期晚于费款所属期(当月1日)3年以上",
        "refuse",
        "accuracy",
    )


def test_what_differs_from_a_derived_rule_is_said_in_its_message(tmp_path: Path) -> None:
    def change(columns: dict[str, dict[str, object]], _: object) -> None:
        rule = own("correction_number_range", "expect_column_values_to_be_between", max_value=5)
        columns["correction_number"]["quality"] = [rule]

    contract = load_contract(changed(tmp_path, "hrss/wage_records", change))
    differing = next(rule for rule in contract.rules if rule.rule == "correction_number_range")
    assert differing.message_en == "correction_number is not within 0 and 5"
