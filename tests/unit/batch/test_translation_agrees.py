"""The translation to columns and Great Expectations give the same verdict on every row, for each expectation type.

Hypothesis makes the values, right ones and many that are nearly right; each type that a contract may use is tried with
the arguments of every rule that uses it.
"""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.batch.batches import ROOT, WAGES, resident_id
from threegaps.batch.certify import Certifier
from threegaps.batch.columns import BlockColumn, Dictionary, encode
from threegaps.batch.frames import JudgedFrame, rows_frame
from threegaps.batch.normalise.types import read_booleans, read_dates, read_integers, read_numbers, read_timestamps
from threegaps.batch.row_rules import unexpected_rows
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract, Rule
from threegaps.errors import CertificationError
from threegaps.rules.model import TEXT
from threegaps.rules.registry import KINDS
from threegaps.standards.areas import codes_in_force

CONTRACTS = load_contracts(ROOT)
RULES = [(contract, rule) for contract in CONTRACTS for rule in contract.rules if rule.kind.scope == "row"]
# Of a rule on many columns fewer rows: Hypothesis gives up on an example of some thousands of values, and tries others.
VALUES, MOST_ROWS = 240, 60
NUMBERS_IN_TEXTS = [
    resident_id(5),
    f"见{resident_id(6)}号",
    resident_id(7)[:-1],
    f"{resident_id(8)}0",
    "339900900101007",
]


def full_width(text: str) -> str:
    """*text* with the digits of Chinese type, which are digits of Unicode too."""
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def scientific(number: str) -> str:
    """What a spreadsheet makes of a long number."""
    return f"{number[0]}.{number[1:15]}E+17"


def texts_of(contract: Contract, name: str) -> st.SearchStrategy[str | None]:
    """Values that a column may come with: none, right ones, and such as are nearly right."""
    column = contract.by_name[name]
    near: list[st.SearchStrategy[str | None]] = [
        st.none(),
        st.text(alphabet="0123456789.-EXxYS+年月/ 一é５", min_size=1, max_size=24).map(str.strip).filter(bool),
    ]
    near.append(st.sampled_from(NUMBERS_IN_TEXTS))
    if column.code_list:
        near.append(st.sampled_from([code.code for code in column.code_list]))
    if column.logical_type == "date":
        days = st.dates(dt.date(1979, 12, 1), dt.date(2036, 2, 1)).map(dt.date.isoformat)
        near += [days, days.map(full_width)]
        near.append(st.sampled_from(["2025-02-30", "20250601", "2025/6/1", "45809", "2015-01-01", "2035-12-31"]))
    if column.logical_type in {"number", "integer"}:
        numbers = st.decimals(-10, 300_000, places=2).map(str)
        near += [numbers, numbers.map(full_width)]
        near.append(
            st.sampled_from(["0", "0.00", "50", "49.99", "200000", "200000.01", "1e5", "-1", "1", "999", "1000"])
        )
    if column.logical_type == "boolean":
        near.append(st.sampled_from(["0", "1", "true"]))
    if column.logical_type == "timestamp":
        near.append(
            st.sampled_from(["2025-06-01 08:00:00", "2025-06-01T08:00:00", "2025-06-31 08:00:00", "2025-06-01"])
        )
    if name in {"longitude", "latitude"}:
        near.append(st.decimals(27, 32, places=3).map(str))
        near.append(st.decimals(117, 124, places=3).map(str))
    if name == "resident_id":
        right = st.integers(0, 999).flatmap(
            lambda number: st.dates(dt.date(1940, 1, 1), dt.date(2035, 12, 31)).map(
                lambda day: resident_id(number, f"{day:%Y%m%d}")
            )
        )
        near += [
            right,
            right.map(lambda text: text[:-1] + "X"),
            right.map(lambda text: text[:10] + "0230" + text[14:]),
            right.map(scientific),
            right.map(scientific).map(full_width),
            right.map(full_width),
            st.text(alphabet="0123456789X", min_size=18, max_size=18),
        ]
    if name == "uscc":
        near += [
            st.sampled_from(["91350100M000100Y43", "91350211M0000XUF46", "91350100M000100Y4I"]),
            st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXYIO", min_size=18, max_size=18),
        ]
    if name.endswith("county_code") or name == "area_code":
        near.append(
            st.sampled_from(
                [*sorted(codes_in_force(("county", "city", "province"))), "330104", "339999", "341522", "990101"]
            )
        )
    if name == "certificate_number":
        near.append(
            st.from_regex(
                r"[YSK][0-9]{4}(33|32)[0-9]{6}(1[5-9]|2[0-6])[0-6TSX][0-9]{6}",
                fullmatch=True,
                alphabet=st.characters(codec="ascii"),
            )
        )
        near.append(st.from_regex(r"[0-9]{15,17}", fullmatch=True, alphabet=st.characters(codec="ascii")))
    if name == "occupation_code":
        near.append(st.sampled_from(["6-18-01-01", "6-18-01-01L", "6-18-1", "6-18-01-01LS"]))
    if name == "enrollment_id":
        near.append(st.from_regex(r"PX[0-9]{13,15}", fullmatch=True, alphabet=st.characters(codec="ascii")))
    return st.one_of(near)


def tried(contract: Contract, rule: Rule) -> str:
    """All that decides how a rule is tried; the names of its columns do not.

    Examples are derived from the test, not from chance, so that rules of which all this is equal are asked of the very
    same rows: one of them is enough, however many feeds have it.
    """
    asked = {key: value for key, value in rule.configuration.items() if key in {"type", "kwargs"}}
    text = json.dumps(asked, default=str, sort_keys=True)
    columns = []
    for place, name in enumerate(rule.columns):
        for ending in ("", TEXT):
            text = text.replace(json.dumps(name + ending), json.dumps(f"{place}{ending}"))
        column = contract.by_name[name]
        columns.append(f"{column.logical_type} {column.code_list} {texts_of(contract, name)!r}")
    return "\n".join([text, *columns])


CASES = list({tried(*case): case for case in reversed(RULES)}.values())[::-1]


def typed(contract: Contract, name: str, texts: list[str | None]) -> BlockColumn:
    """The column as a block holds it."""
    column = contract.by_name[name]
    text = pl.Series(name, texts, dtype=pl.String)
    match column.logical_type:
        case "string":
            values = text
        case "date":
            values = read_dates(text)
        case "timestamp":
            values = read_timestamps(text)
        case "boolean":
            values = read_booleans(text, ("1", "0"))
        case "integer":
            values = read_integers(text)
        case _:
            values = read_numbers(text, 12, 2)
    return BlockColumn(name, text, values.alias(name))


def with_dictionary(column: BlockColumn) -> BlockColumn:
    """The same column with a dictionary, as columns of few values have."""
    dictionary = encode(column.text)
    assert isinstance(dictionary, Dictionary)
    first = [
        int(np.flatnonzero(dictionary.codes == place)[0]) if place in dictionary.codes else None
        for place in range(len(dictionary.values))
    ]
    values = column.typed.gather([place if place is not None else 0 for place in first])
    values = values.to_frame().select(
        pl.when(pl.Series([place is not None for place in first])).then(pl.col(column.name)).alias(column.name)
    )
    return BlockColumn(column.name, column.text, column.typed, dictionary, values.to_series())


@pytest.mark.parametrize(("contract", "rule"), CASES, ids=[f"{c.name}-{r.rule}" for c, r in CASES])
def test_same_verdict_on_every_row(contract: Contract, rule: Rule) -> None:
    count = min(MOST_ROWS, VALUES // len(rule.columns))
    one_row = st.tuples(*(texts_of(contract, name) for name in rule.columns))
    rows: list[tuple[str | None, ...]] = []

    @settings(
        max_examples=3,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),  # so many rows each: nothing is gained by shrinking them for minutes
    )
    @given(drawn=st.lists(one_row, min_size=count, max_size=count))
    def draw(drawn: list[tuple[str | None, ...]]) -> None:
        rows.extend(drawn)

    draw()
    # A row is judged alone, and asking costs by the question: all examples are one.
    assert len(rows) >= 3 * count
    columns = {name: typed(contract, name, [row[place] for row in rows]) for place, name in enumerate(rule.columns)}
    verdict = unexpected_rows(rule, columns)
    by_dictionary = unexpected_rows(rule, {name: with_dictionary(column) for name, column in columns.items()})
    assert (verdict == by_dictionary).all()
    certify_one(contract, rule, columns, verdict)


def certify_one(contract: Contract, rule: Rule, columns: dict[str, BlockColumn], verdict: np.ndarray) -> None:
    """Certify this rule alone."""
    assert Certifier(contract).certify(JudgedFrame([rule], rows_frame(columns), {rule.rule: verdict}, None)) == {
        rule.rule
    }


def test_every_kind_on_rows_is_tried() -> None:
    kinds = {rule.expectation for _, rule in CASES}
    assert kinds == {expectation for expectation, kind in KINDS.items() if kind.scope == "row"}


def test_only_a_rule_that_another_equals_in_all_but_names_is_left_out() -> None:
    assert {tried(*case) for case in CASES} == {tried(*case) for case in RULES}
    assert len(RULES) > len(CASES) > 100
    text, day = (next(case for case in RULES if case[1].rule == name) for name in ("scheme_code", "recorded_on_type"))
    assert tried(*text) != tried(*day)


@pytest.mark.parametrize("verdict", [[False, False, False], [True, False, False], [True, True, False]])
def test_a_differing_verdict_stops(verdict: list[bool]) -> None:
    rule = next(rule for rule in WAGES.rules if rule.rule == "scheme_code")
    columns = {"scheme": typed(WAGES, "scheme", ["110", "999", None])}
    with pytest.raises(CertificationError, match="scheme_code"):
        certify_one(WAGES, rule, columns, np.array(verdict))


@pytest.mark.parametrize("is_broken", [True, False])
def test_an_exception_inside_great_expectations_is_no_verdict(is_broken: bool) -> None:
    rule = next(rule for rule in WAGES.rules if rule.rule == "wage_cny_month_range")
    text = pl.Series("wage_cny_month", ["1", "2"])
    columns = {"wage_cny_month": BlockColumn("wage_cny_month", text, text)}
    with pytest.raises(CertificationError, match="exception"):
        certify_one(WAGES, rule, columns, np.array([is_broken, is_broken]))
