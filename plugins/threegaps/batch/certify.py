"""Great Expectations has the last word: it runs the contract's own rules, and must agree on every row.

It is given each rule's `configuration`, as the expanded form of the contract prints it. An exception inside Great
Expectations is an error, never a verdict. Contexts are ephemeral, nothing is written to disk, no analytics are sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from threegaps.batch.columns import Mask
from threegaps.batch.frames import to_pandas
from threegaps.contracts.model import Contract, Rule
from threegaps.errors import CertificationError

_FAULT = "this is a fault of the pipeline, not of the data: report it with the contract's version."


class Certifier:
    """Runs suites in one process-wide ephemeral context; Great Expectations takes seconds to import."""

    _batch_definition: Any = None

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    @classmethod
    def prepare(cls) -> Any:
        """Import Great Expectations and make the context, once a process."""
        if cls._batch_definition is None:
            os.environ["GX_ANALYTICS_ENABLED"] = "false"
            logging.getLogger("great_expectations").setLevel(logging.ERROR)
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig

            import threegaps.rules.great_expectations_classes  # noqa: F401  # registers ours

            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            source = context.data_sources.add_pandas("batch")
            cls._batch_definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("all")
        return cls._batch_definition

    def certify(self, rules: Sequence[Rule], frame: pl.DataFrame, verdicts: Mapping[str, Mask]) -> frozenset[str]:
        """Compare the verdicts on the rows of *frame*, rule by rule and row by row.

        Args:
            rules: The rules, all of one scope.
            frame: The scope's frame, see `threegaps.rules.frames`; of rows, before pseudonyms.
            verdicts: By rule id, which rows the column forms found unexpected.

        Returns:
            The rules that were certified.

        Raises:
            CertificationError: The two disagree on a row, or Great Expectations raised an exception.
        """
        if not frame.height or not rules:
            return frozenset()
        for rule, found in zip(rules, self.unexpected(rules, frame), strict=True):
            differing = np.flatnonzero(found != verdicts[rule.rule])
            if len(differing):
                raise CertificationError(
                    f"Rule {rule.rule}: Great Expectations and the column rules disagree on {len(differing)} of "
                    f"{frame.height} rows.",
                    feed=self.contract.feed,
                    row=int(differing[0]) + 1,
                    column=rule.column,
                    advice=_FAULT,
                )
        return frozenset(rule.rule for rule in rules)

    def unexpected(self, rules: Sequence[Rule], frame: pl.DataFrame) -> list[Mask]:
        """Which rows Great Expectations finds unexpected, rule by rule.

        Raises:
            CertificationError: It raised an exception.
        """
        results = self._validate(to_pandas(frame), [rule.configuration for rule in rules])
        masks = []
        for rule, result in zip(rules, results, strict=True):
            found = np.zeros(frame.height, dtype=np.bool_)
            found[self._unexpected_indexes(rule, result)] = True
            masks.append(found)
        return masks

    def _validate(self, frame: Any, configurations: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Results of the expectations on a pandas frame, in order."""
        batch_definition = self.prepare()
        from great_expectations.core import ExpectationSuite
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        suite = ExpectationSuite(
            name=self.contract.feed,
            expectations=[ExpectationConfiguration(**one).to_domain_obj() for one in configurations],
        )
        batch = batch_definition.get_batch(batch_parameters={"dataframe": frame})
        answer = batch.validate(
            suite,
            result_format={
                "result_format": "COMPLETE",
                "include_unexpected_rows": False,
                "partial_unexpected_count": 0,
            },
        )
        by_rule = {result.expectation_config.meta["rule"]: result for result in answer.results}
        results = [by_rule[one["meta"]["rule"]] for one in configurations if one["meta"]["rule"] in by_rule]
        if len(results) != len(configurations):
            raise CertificationError("Great Expectations left expectations out.", feed=self.contract.feed)
        for result in results:
            self._raise_exceptions(result)
        return results

    def _raise_exceptions(self, result: Any) -> None:
        information = result.exception_info or {}
        entries = [information] if "raised_exception" in information else list(information.values())
        for entry in entries:
            raised = (
                entry.get("raised_exception") if isinstance(entry, dict) else getattr(entry, "raised_exception", True)
            )
            if raised:
                # The message may quote values of the rows: its kind is enough here.
                raise CertificationError(
                    f"Great Expectations raised an exception in {result.expectation_config.type}.",
                    feed=self.contract.feed,
                    column=str(result.expectation_config.kwargs.get("column", "")) or None,
                    advice=_FAULT,
                )

    def _unexpected_indexes(self, rule: Rule, result: Any) -> list[int]:
        if result.success:
            return []
        indexes = result.result.get("unexpected_index_list")
        if indexes is None:
            raise CertificationError(
                f"Great Expectations names no rows for {rule.rule}.", feed=self.contract.feed, column=rule.column
            )
        return [int(index) for index in indexes]
