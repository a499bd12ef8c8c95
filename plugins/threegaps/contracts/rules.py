"""A contract's rules: those that follow from its fields, with what it says otherwise, and its own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from threegaps.contracts.derive import Derivation
from threegaps.contracts.document import ContractDocument, Quality
from threegaps.contracts.options.base import explain
from threegaps.errors import ContractError
from threegaps.rules.model import Arguments, Labels, Rule, RuleKind
from threegaps.rules.registry import KINDS


def rules_of(document: ContractDocument) -> Iterator[Rule]:
    """Every rule of the contract, by column and then of the whole.

    Raises:
        ContractError: A rule stands twice, is of no known kind, or has other arguments than its kind, said with the
            path in the file and the nearest right name.
    """
    derivation, schema = Derivation(document), document.schema_[0]
    labels = {column.name: column.business_name for column in schema.properties}
    seen: set[str] = set()
    for index, column in enumerate(schema.properties):
        path = f"schema/0/properties/{index}/quality"
        written = _Written(document.id, path, column.quality, labels, column.name)
        yield from _once(document, written.merged_with(list(derivation.column_rules(column))), seen)
    written = _Written(document.id, "schema/0/quality", schema.quality, labels, None)
    yield from _once(document, written.merged_with([*derivation.table_rules(), *derivation.batch_rules()]), seen)


def _once(document: ContractDocument, rules: Iterator[Rule], seen: set[str]) -> Iterator[Rule]:
    for rule in rules:
        if rule.rule in seen:
            raise ContractError(f"Rule {rule.rule} stands twice.", feed=document.id)
        seen.add(rule.rule)
        yield rule


class _Written:
    """The rules that stand together in a contract: with a column, or with the table."""

    def __init__(self, feed: str, path: str, entries: Sequence[Quality], labels: Labels, column: str | None) -> None:
        self._feed, self._path, self._labels, self._column = feed, path, labels, column
        self._entries = {entry.name: (index, entry) for index, entry in enumerate(entries)}
        if len(self._entries) < len(entries):
            raise ContractError("A rule stands twice.", feed=feed, column=column)

    def merged_with(self, derived: Sequence[Rule]) -> Iterator[Rule]:
        """The *derived* rules with what is written otherwise, then the others that are written."""
        known = {rule.rule for rule in derived}
        for rule in derived:
            yield self._differing(rule, *self._entries[rule.rule]) if rule.rule in self._entries else rule
        for name, (index, entry) in self._entries.items():
            if name not in known:
                yield self._own(index, entry)

    def _differing(self, rule: Rule, index: int, entry: Quality) -> Rule:
        said = entry.implementation
        kind = rule.kind if said.type is None else self._kind(index, said.type)
        kept = rule.arguments.model_dump(exclude_unset=True) if kind is rule.kind else {}
        return self._rule(index, entry, kind, {**kept, **said.kwargs}, rule.action)

    def _own(self, index: int, entry: Quality) -> Rule:
        said = entry.implementation
        if said.type is None:
            raise ContractError(
                f"Rule {entry.name} follows from nothing in the contract, and has no type.",
                feed=self._feed,
                column=self._column,
                advice="complete it, or correct its name if it is meant to change a derived rule"
                " (`threegaps feeds show FEED --expanded` lists those).",
            )
        kind = self._kind(index, said.type)
        return self._rule(index, entry, kind, said.kwargs, kind.action)

    def _rule(self, index: int, entry: Quality, kind: RuleKind, kwargs: Mapping[str, Any], action: Any) -> Rule:
        meta = entry.implementation.meta
        arguments = self._arguments(index, kind, kwargs)
        zh, en = kind.message(arguments, self._labels)
        return Rule(
            rule=entry.name,
            kind=kind,
            arguments=arguments,
            action=(meta.action if meta else None) or action,
            message_zh=(meta.message_zh if meta else None) or zh,
            message_en=entry.description or en,
            dimension=entry.dimension or kind.dimension,
        )

    def _kind(self, index: int, expectation: str) -> RuleKind:
        kind = KINDS.get(expectation)
        if kind is None:
            near = difflib.get_close_matches(expectation, KINDS, n=1, cutoff=0.5)
            raise ContractError(
                f"{self._path}/{index}/implementation/type: {expectation!r} is no kind of rule"
                + (f"; did you mean {near[0]!r}?" if near else "."),
                feed=self._feed,
                column=self._column,
                advice="use one of those in threegaps/rules/kinds, or add yours there.",
            )
        return kind

    def _arguments(self, index: int, kind: RuleKind, kwargs: Mapping[str, Any]) -> Arguments:
        """The arguments as their kind's model sees them; a rule that stands with a column is about it."""
        fields = kind.arguments.model_fields
        if self._column is not None and "column" in fields and "column" not in kwargs:
            kwargs = {"column": self._column, **kwargs}
        try:
            return kind.arguments.model_validate(dict(kwargs))
        except ValidationError as error:
            path = f"{self._path}/{index}/implementation/kwargs"
            faults = "; ".join(f"{path}/{fault}" for fault in explain(error, kwargs, kind.arguments))
            raise ContractError(
                f"{faults}.", feed=self._feed, column=self._column, advice="see the kind of rule in the catalogue."
            ) from None
