"""Great Expectations has the last word: it runs the contract's own rules, and must agree on every row.

It is given each rule's `configuration`, as the expanded form of the contract prints it. An exception inside Great
Expectations is an error, never a verdict. Contexts are ephemeral, nothing is written to disk, no analytics are sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from threegaps.batch.columns import Mask
from threegaps.batch.frames import JudgedFrame, to_pandas
from threegaps.contracts.model import Contract, Rule
from threegaps.errors import CertificationError
from threegaps.rules.model import TEXT

_WHETHER = {"result_format": "BOOLEAN_ONLY"}
_WHICH = {"result_format": "COMPLETE", "include_unexpected_rows": False, "partial_unexpected_count": 0}
FAULT = "this is a fault of the pipeline, not of the data: report it with the contract's version."


class Certifier:
    """Runs suites in one process-wide ephemeral context; Great Expectations takes seconds to import."""

    _context: Any = None
    _batch_definition: Any = None

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    @classmethod
    def prepare(cls) -> Any:
        """Import Great Expectations and make the context, once a process."""
        if cls._batch_definition is None:
            os.environ["GX_ANALYTICS_ENABLED"] = "false"
            logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig

            import threegaps.rules.great_expectations_classes  # noqa: F401  # registers ours

            cls._context = context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            source = context.data_sources.add_pandas("batch")
            cls._batch_definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("all")
        return cls._batch_definition

    def certify(self, judged: JudgedFrame) -> frozenset[str]:
        """Compare the verdicts on the rows of a frame, rule by rule and row by row.

        Returns:
            The rules that were certified.

        Raises:
            CertificationError: The two disagree on a row, or Great Expectations raised an exception.
        """
        rules, frame = judged.rules, judged.frame
        if not frame.height or not rules:
            return frozenset()
        broken = frozenset(rule.rule for rule in rules if judged.verdicts[rule.rule].any())
        for rule, found in zip(rules, self.unexpected(rules, frame, broken), strict=True):
            differing = np.flatnonzero(found != judged.verdicts[rule.rule])
            if len(differing):
                raise CertificationError(
                    f"Rule {rule.rule}: Great Expectations and the column rules disagree on {len(differing)} of "
                    f"{frame.height} rows.",
                    feed=self.contract.feed,
                    row=int(differing[0]) + 1,
                    column=rule.column,
                    advice=FAULT,
                )
        return frozenset(rule.rule for rule in rules)

    def unexpected(self, rules: Sequence[Rule], frame: pl.DataFrame, broken: frozenset[str]) -> list[Mask]:
        """Which rows Great Expectations finds unexpected, rule by rule.

        Args:
            rules: The rules on the frame.
            frame: The rows to judge.
            broken: The rules that some row is likely to break; for costs only. Of the others it is asked first whether
                any row breaks them, which takes half the time.

        Raises:
            CertificationError: It raised an exception.
        """
        kept = [rule for rule in rules if rule.rule not in broken]
        none = np.zeros(frame.height, dtype=np.bool_)
        masks: dict[str, Mask] = {}
        for result in self._results(kept, frame, _WHETHER):
            if result.success:
                masks[result.expectation_config.meta["rule"]] = none
        asked = {rule.rule: rule for rule in rules if rule.rule not in masks}
        for result in self._results(list(asked.values()), frame, _WHICH):
            rule = asked[result.expectation_config.meta["rule"]]
            masks[rule.rule] = found = none.copy()
            found[self._unexpected_indexes(rule, result)] = True
        return [masks[rule.rule] for rule in rules]

    def validate(self, suite: Any, frame: pl.DataFrame) -> Any:
        """What Great Expectations says of a frame, with the indexes of unexpected rows and none of their values.

        Raises:
            CertificationError: It raised an exception, or left an expectation out.
        """
        batch_definition = self.prepare()
        from great_expectations.validator.v1_validator import Validator

        # What `Batch.validate` does, but for a batch that is made to be asked and then made, and hashed, once more.
        validator = Validator(batch_definition, _WHICH, {"dataframe": to_pandas(frame)})
        answer = validator.validate_expectation_suite(suite)
        self._check(answer.results, suite)
        return answer

    def _results(self, rules: Sequence[Rule], frame: pl.DataFrame, result_format: dict[str, Any]) -> Sequence[Any]:
        if not rules:
            return ()
        # Great Expectations hashes all that it is given.
        read = {name for rule in rules for name in (*rule.columns, *rule.kind.reads)}
        frame = frame.select(name for name in frame.columns if {name, name.removesuffix(TEXT)} & read)
        suite = self.suite(self.contract.feed, rules)
        from great_expectations.execution_engine import PandasExecutionEngine
        from great_expectations.validator.validator import Validator

        # What `Batch.validate` does once it has made and hashed a batch, whose marks nobody reads here.
        engine = PandasExecutionEngine(batch_data_dict={"frame": to_pandas(frame)})
        validator = Validator(engine, data_context=self._context)
        asked = validator.process_expectations_for_validation(suite.expectation_configurations)
        results: Sequence[Any] = validator.graph_validate(asked, {"result_format": result_format})
        self._check(results, suite)
        return results

    def _check(self, results: Sequence[Any], suite: Any) -> None:
        if len(results) != len(suite.expectations):
            raise CertificationError("Great Expectations left expectations out.", feed=self.contract.feed)
        for result in results:
            self._raise_exceptions(result)

    def suite(self, name: str, rules: Sequence[Rule]) -> Any:
        """The rules as a suite of Great Expectations."""
        self.prepare()
        from great_expectations.core import ExpectationSuite
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        expectations = [ExpectationConfiguration(**rule.configuration).to_domain_obj() for rule in rules]
        return ExpectationSuite(name=name, expectations=expectations)

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
                    advice=FAULT,
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
