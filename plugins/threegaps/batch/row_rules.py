"""The rules on rows, and what they say of a block: which rows break which of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl

from threegaps.batch.columns import BlockColumn, Mask, spread
from threegaps.contracts.model import Contract, Rule
from threegaps.errors import ContractError
from threegaps.rules.kinds.identity_in_text import IdentityInText
from threegaps.rules.model import Columns, View

_LARGEST_SPREAD = 60_000
_SHAPE, _READABLE = "expect_row_to_have_declared_fields", "expect_row_to_be_readable"


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
    line that has no columns yet, ``readable`` whether everything of a row could be had.
    """

    def __init__(self, contract: Contract) -> None:
        self.by_themselves: tuple[tuple[int, Rule], ...] = tuple(
            (index, rule) for index, rule in enumerate(contract.rules) if rule.kind.scope == "row"
        )
        self.key_index = _index(contract, "key")
        self.shape_index = _index(contract, "line", _SHAPE)
        self.readable_index = _index(contract, "line", _READABLE)
        self.key = contract.rules[self.key_index]
        self.shape = contract.rules[self.shape_index]
        self.readable = contract.rules[self.readable_index]

    def judge(
        self, columns: Mapping[str, BlockColumn], rows: int, *, unread: Mapping[str, Mask] | None = None
    ) -> Findings:
        """Judge each of a block's *rows* by itself.

        Args:
            columns: The block's columns, normalised and typed.
            rows: How many rows it has.
            unread: By column the rows whose value could not be had: no rule says that it is empty.
        """
        findings = Findings(rows)
        for index, rule in self.by_themselves:
            unexpected = unexpected_rows(rule, columns)
            # An identity number that was found is there, whatever else could not be had.
            if unread and not isinstance(rule.arguments, IdentityInText):
                for name in unread.keys() & set(rule.columns):
                    unexpected = unexpected & ~unread[name]
            findings.add(index, rule, unexpected, is_refusing=rule.action == "refuse")
        return findings


def unexpected_rows(rule: Rule, columns: Mapping[str, BlockColumn]) -> Mask:
    """The rows of a block that break *rule*, which is on rows by themselves.

    A missing value is judged only by the rules about missing values, and a value that could not be read as its type
    only by the type rule. Where the columns that the rule reads have dictionaries, every combination of values is
    judged once.
    """
    read = [columns[name] for name in rule.columns]
    dictionaries = [column.dictionary for column in read if column.dictionary is not None]
    size = math.prod(len(dictionary.values) for dictionary in dictionaries)
    rows = len(read[0].text)
    if len(dictionaries) == len(read) and size <= min(_LARGEST_SPREAD, max(rows, 64)):
        if len(read) == 1:
            views: dict[str, View] = {read[0].name: _on_values(read[0], None)}
            codes = dictionaries[0].codes
        else:
            indexes, codes = spread(dictionaries)
            views = {column.name: _on_values(column, index) for column, index in zip(read, indexes, strict=True)}
        verdict = unexpected(rule, views)
        if not verdict.any():
            return np.zeros(rows, dtype=np.bool_)
        return verdict[codes]
    return unexpected(rule, columns)


def unexpected(rule: Rule, columns: Columns) -> Mask:
    """What the form in columns of a rule's kind says of each row of the *columns* of its scope.

    Raises:
        ContractError: The kind has none: keys are compared by `threegaps.batch.uniqueness`.
    """
    judge = rule.kind.unexpected
    if judge is None:
        raise ContractError(f"Rule {rule.rule} is not judged on columns by themselves.")
    mask: Mask = judge(columns, rule.arguments).fill_null(value=False).to_numpy()
    return mask


def _on_values(column: BlockColumn, indexes: pl.Series | None) -> BlockColumn:
    if column.dictionary is None or column.typed_values is None:
        raise ContractError(f"Column {column.name} has no dictionary.")
    values, typed = column.dictionary.values, column.typed_values
    if indexes is None:
        return BlockColumn(column.name, values, typed)
    return BlockColumn(column.name, values.gather(indexes), typed.gather(indexes))


def _index(contract: Contract, scope: str, expectation: str | None = None) -> int:
    return next(
        index
        for index, rule in enumerate(contract.rules)
        if rule.kind.scope == scope and expectation in {None, rule.expectation}
    )
