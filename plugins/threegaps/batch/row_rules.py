"""The rules on rows, and what they say of a block: which rows break which of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from threegaps.batch.certify import is_certifiable
from threegaps.batch.columns import BlockColumn, Mask
from threegaps.batch.translate import unexpected_rows
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.vocabulary import KEY_EXPECTATION, SHAPE_EXPECTATION


class Findings:
    """What the rules say of a block's rows.

    ``broken`` has, by the index of each rule that any row breaks, the rows that do, ``unexpected`` by the rule's id how
    many they are; ``refused`` are the rows that any of them refuses.
    """

    def __init__(self, rows: int) -> None:
        self.broken: dict[int, Mask] = {}
        self.unexpected: dict[str, int] = {}
        self.refused: Mask = np.zeros(rows, dtype=np.bool_)

    def add(self, index: int, rule: Rule, unexpected: Mask, *, is_refusing: bool) -> None:
        """Note the rows that break *rule*, which has *index* among the contract's."""
        count = int(np.count_nonzero(unexpected))
        if count:
            self.broken[index] = unexpected
            self.unexpected[rule.rule] = count
            if is_refusing:
                self.refused |= unexpected


class RowRules:
    """A contract's rules by how they are judged; an index is a rule's among all those of the contract.

    ``by_themselves`` are judged on a row alone, with their indexes; ``key`` compares rows, ``shape`` the fields of a
    line that has no columns yet.
    """

    def __init__(self, contract: Contract) -> None:
        self.by_themselves: tuple[tuple[int, Rule], ...] = tuple(
            (index, rule) for index, rule in enumerate(contract.rules) if is_certifiable(rule)
        )
        self.key_index = _index(contract, KEY_EXPECTATION)
        self.shape_index = _index(contract, SHAPE_EXPECTATION)
        self.key = contract.rules[self.key_index]
        self.shape = contract.rules[self.shape_index]

    def judge(self, columns: Mapping[str, BlockColumn], rows: int) -> Findings:
        """Judge each of a block's *rows* by itself."""
        findings = Findings(rows)
        for index, rule in self.by_themselves:
            findings.add(index, rule, unexpected_rows(rule, columns), is_refusing=rule.action == "refuse")
        return findings


def _index(contract: Contract, expectation: str) -> int:
    return next(index for index, rule in enumerate(contract.rules) if rule.expectation == expectation)
