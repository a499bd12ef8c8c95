"""Which of several rows of a key stays: the rule, whatever the order, the blocks and the parts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threegaps.batch.uniqueness import KeyRegister, Sendings, Statements, part_and_row, positions_of


@dataclass(frozen=True)
class Row:
    key: int
    content: int
    version: int


Parts = list[tuple[bool, list[Row]]]
"""Whether a part is a correction, and its rows; the n-th part is landed object n + 1."""

ROWS = st.builds(Row, st.integers(0, 4), st.integers(0, 2), st.integers(-1, 2))
PARTS: st.SearchStrategy[Parts] = st.lists(st.tuples(st.booleans(), st.lists(ROWS, max_size=12)), max_size=5)


def fates(parts: Parts, step: int, **sizes: int) -> dict[tuple[int, int], str]:
    """What the register makes of each row, by part and row number; blocks have *step* rows."""
    arrivals = np.arange(1, len(parts) + 1, dtype=np.int64)
    groups = np.array([index + 1 if correction else 0 for index, (correction, _) in enumerate(parts)], dtype=np.int64)
    answer: dict[tuple[int, int], str] = {}
    held: list[Statements] = []
    with KeyRegister(Sendings(groups, arrivals), **sizes) as register:
        for index, (_, rows) in enumerate(parts):
            for start in range(0, len(rows), step):
                block = rows[start : start + step]
                numbers = pl.Series(range(start + 1, start + 1 + len(block)), dtype=pl.Int32)
                statements = Statements(
                    np.array([row.key for row in block], dtype=np.uint64),
                    np.array([row.content for row in block], dtype=np.uint64),
                    np.array([row.version for row in block], dtype=np.int64),
                    positions_of(index, numbers, np.zeros(len(block), dtype=np.bool_)),
                )
                repeats = register.register(statements)
                held.append(statements.at(repeats.contested))
                for number, duplicate, contested in zip(numbers, repeats.duplicate, repeats.contested, strict=True):
                    answer[index, number] = "duplicate" if duplicate else "contested" if contested else "stays"
        contested = Statements.joined(held)
        settled = register.settle(contested)
    for position, wins, refused in zip(contested.positions.tolist(), settled.wins, settled.refused, strict=True):
        answer[part_and_row(position)] = "stays" if wins else "refused" if refused else "duplicate"
    for position, refused in zip(settled.firsts.positions.tolist(), settled.first_refused, strict=True):
        answer[part_and_row(position)] = "refused" if refused else "duplicate"
    return answer


def said(parts: Parts, answer: dict[tuple[int, int], str]) -> dict[str, list[Row]]:
    """The rows themselves by their fate, in an order of their own."""
    by_fate: dict[str, list[Row]] = defaultdict(list)
    for (index, number), fate in answer.items():
        by_fate[fate].append(parts[index][1][number - 1])
    return {fate: sorted(rows, key=lambda row: (row.key, row.content, row.version)) for fate, rows in by_fate.items()}


def rule(parts: Parts) -> dict[str, list[Row]]:
    """The rule as one reads it, a key at a time."""
    by_fate: dict[str, list[Row]] = defaultdict(list)
    keys = sorted({row.key for _, rows in parts for row in rows})
    for key in keys:
        sendings: dict[tuple[int, int], list[tuple[int, Row]]] = defaultdict(list)
        for index, (correction, rows) in enumerate(parts):
            for row in rows:
                if row.key == key:
                    sendings[index + 1 if correction else 0, row.version].append((index, row))
        candidates: list[tuple[int, int, Row]] = []
        for (_, version), stated in sendings.items():
            different = list(dict.fromkeys(row for _, row in stated))
            by_fate["duplicate"] += [row for row in different for _ in range(sum(r == row for _, r in stated) - 1)]
            if len(different) > 1:
                by_fate["refused"] += different
            else:
                candidates.append((version, min(index for index, _ in stated), different[0]))
        candidates.sort(key=lambda one: one[:2])
        by_fate["duplicate"] += [row for *_, row in candidates[:-1]]
        by_fate["stays"] += [row for *_, row in candidates[-1:]]
    order = {fate: sorted(rows, key=lambda row: (row.key, row.content, row.version)) for fate, rows in by_fate.items()}
    return {fate: rows for fate, rows in order.items() if rows}


@settings(deadline=None, max_examples=300)
@given(PARTS, st.integers(1, 6))
def test_the_rule_holds_however_the_rows_are_cut(parts: Parts, step: int) -> None:
    expected = rule(parts)
    assert said(parts, fates(parts, step)) == expected
    assert said(parts, fates(parts, step, recent_rows=3, rows_read=2)) == expected  # most of it in the file


@settings(deadline=None, max_examples=200)
@given(PARTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_original_parts_decides_nothing(parts: Parts, random: object) -> None:
    mixed = [(correction, random.sample(rows, len(rows))) for correction, rows in parts]  # type: ignore[attr-defined]
    assert said(mixed, fates(mixed, 4)) == said(parts, fates(parts, 4))
    originals = [rows for correction, rows in parts if not correction]
    results = {
        repr(sorted(said(turned, fates(turned, 4)).items()))
        for turned in ([(False, rows) for rows in order] for order in itertools.permutations(originals[:3]))
    }
    assert len(results) == 1


@pytest.mark.parametrize("turned", [False, True])
def test_the_higher_number_stays_in_either_order_of_two_corrections(turned: bool) -> None:
    parts = [(False, [Row(1, 0, 0)]), (True, [Row(1, 1, 2)]), (True, [Row(1, 2, 1)])]
    if turned:
        parts[1], parts[2] = parts[2], parts[1]
    assert said(parts, fates(parts, 8)) == {"stays": [Row(1, 1, 2)], "duplicate": [Row(1, 0, 0), Row(1, 2, 1)]}


def test_a_contradiction_in_a_correction_leaves_what_was_there_before() -> None:
    parts = [(False, [Row(1, 0, 0)]), (True, [Row(1, 1, 1), Row(1, 2, 1)])]
    assert said(parts, fates(parts, 8)) == {"stays": [Row(1, 0, 0)], "refused": [Row(1, 1, 1), Row(1, 2, 1)]}


def test_each_of_many_keys_is_found_again_whatever_its_bits() -> None:
    random = np.random.default_rng(20250527)
    edges = np.array([0, 1, 7, 8, 2**39 - 1, 2**39, 2**63, 2**64 - 1], dtype=np.uint64)
    keys = np.unique(np.concatenate([edges, random.integers(0, 2**64, 5_000, dtype=np.uint64)]))
    versions, positions = np.zeros(len(keys), dtype=np.int64), np.arange(len(keys), dtype=np.uint64)
    sendings = Sendings(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))
    with KeyRegister(sendings, recent_rows=1_500, rows_read=700) as register:
        for block in np.array_split(np.arange(len(keys)), 7):
            repeats = register.register(Statements(keys, keys, versions, positions).at(block))
            assert not (repeats.duplicate | repeats.contested).any()
        again = register.register(Statements(keys, keys, versions, positions + np.uint64(len(keys))))
    assert again.duplicate.all()
