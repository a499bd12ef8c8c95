"""Great Expectations has the last word: it runs the contract's own suite on typed rows, and must agree on every row.

An exception inside Great Expectations is an error, never a verdict. Contexts are ephemeral, nothing is written to
disk, no analytics are sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.vocabulary import KEY_EXPECTATION, SHAPE_EXPECTATION
from threegaps.errors import CertificationError

Mask = npt.NDArray[np.bool_]

TEXT = "@text"
"""Ending of the columns that hold what was written, beside the typed ones."""

_TEXT_FIRST = frozenset(
    {
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_match_regex",
        "expect_resident_id_to_be_precise",
        "expect_credit_code_to_be_valid",
        "expect_county_code_to_be_valid",
        "expect_column_to_be_given_where",
        "expect_column_to_be_given_unless",
    }
)
"""Expectations whose first column is judged as written: a value of the wrong type is not missing."""

_CORE_SINGLE = frozenset(
    {
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_between",
        "expect_resident_id_to_be_precise",
        "expect_credit_code_to_be_valid",
        "expect_county_code_to_be_valid",
    }
)


def is_certifiable(rule: Rule) -> bool:
    """Whether a rule's verdict is one on typed rows by themselves."""
    return rule.expectation not in {KEY_EXPECTATION, SHAPE_EXPECTATION}


def typed_frame(columns: Mapping[str, BlockColumn]) -> pl.DataFrame:
    """Texts and typed values of a block side by side, as certification reads them."""
    series: list[pl.Series] = []
    for name, column in columns.items():
        series.append(column.text.alias(f"{name}{TEXT}"))
        series.append(column.typed.alias(name))
    return pl.DataFrame(series)


class Certifier:
    """Runs suites in one process-wide ephemeral context; Great Expectations takes seconds to import."""

    _context: Any = None

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    @classmethod
    def prepare(cls) -> Any:
        """Import Great Expectations and make the context, once a process."""
        if cls._context is None:
            os.environ["GX_ANALYTICS_ENABLED"] = "false"
            logging.getLogger("great_expectations").setLevel(logging.ERROR)
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig

            import threegaps.batch.expectations  # noqa: F401  # registers the custom ones

            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            source = context.data_sources.add_pandas("batch")
            cls._context = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
        return cls._context

    def certify_rows(self, rows: pl.DataFrame, verdicts: Mapping[str, Mask]) -> frozenset[str]:
        """Compare the verdicts on *rows* (see :func:`typed_frame`), rule by rule and row by row.

        Args:
            rows: Typed rows before pseudonyms, refused ones included.
            verdicts: By rule id, which rows the column rules found unexpected.

        Returns:
            The rules that were certified.

        Raises:
            CertificationError: The two disagree on a row, or Great Expectations raised an exception.
        """
        rules = [rule for rule in self.contract.rules if is_certifiable(rule)]
        if not rows.height or not rules:
            return frozenset()
        results = self.validate(_to_pandas(rows), [_configuration(rule) for rule in rules])
        for rule, result in zip(rules, results, strict=True):
            found = np.zeros(rows.height, dtype=np.bool_)
            found[_unexpected_places(self.contract, rule, result)] = True
            differing = np.flatnonzero(found != verdicts[rule.rule])
            if len(differing):
                raise CertificationError(
                    f"Rule {rule.rule}: Great Expectations and the column rules disagree on {len(differing)} of "
                    f"{rows.height} rows.",
                    feed=self.contract.feed,
                    row=int(differing[0]) + 1,
                    column=rule.column,
                    advice="this is a fault of the pipeline, not of the data: report it with the contract's version.",
                )
        return frozenset(rule.rule for rule in rules)

    def certify_key(self, rows: pl.DataFrame, repeats: int) -> bool:
        """Whether the key columns of the rows that passed hold just *repeats* rows beyond the first of their key."""
        keys = list(self.contract.key)
        if not rows.height:
            return True
        frame = _to_pandas(rows.select(keys))
        if len(keys) == 1:
            configuration = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": keys[0]}}
        else:
            configuration = {"type": KEY_EXPECTATION, "kwargs": {"column_list": keys, "ignore_row_if": "never"}}
        (result,) = self.validate(frame, [configuration])
        rule = next(rule for rule in self.contract.rules if rule.expectation == KEY_EXPECTATION)
        places = _unexpected_places(self.contract, rule, result)
        firsts = len({tuple(row) for row in frame.iloc[places].itertuples(index=False)})
        if len(places) - firsts != repeats:
            raise CertificationError(
                f"Great Expectations finds {len(places) - firsts} repeated keys, the register {repeats}.",
                feed=self.contract.feed,
                advice="this is a fault of the pipeline, not of the data: report it with the contract's version.",
            )
        return True

    def certify_counters(
        self, counters: Mapping[str, float | None], bounds: Sequence[tuple[str, Any, Any]]
    ) -> list[bool]:
        """Whether each counter lies within its bounds; a missing counter does."""
        import pandas as pd

        frame = pd.DataFrame({name: pd.Series([value], dtype="float64") for name, value in counters.items()})
        configurations = [
            {
                "type": "expect_column_values_to_be_between",
                "kwargs": {"column": name, "min_value": low, "max_value": high},
            }
            for name, low, high in bounds
        ]
        return [bool(result.success) for result in self.validate(frame, configurations)]

    def validate(self, frame: Any, configurations: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Results of the expectations on a pandas frame, in order."""
        batch_definition = self.prepare()
        from great_expectations.core import ExpectationSuite
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        suite = ExpectationSuite(
            name=self.contract.feed,
            expectations=[
                ExpectationConfiguration(
                    type=entry["type"], kwargs=dict(entry["kwargs"]), meta={"place": place}
                ).to_domain_obj()
                for place, entry in enumerate(configurations)
            ],
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
        results = sorted(answer.results, key=lambda result: result.expectation_config.meta["place"])
        if len(results) != len(configurations):
            raise CertificationError("Great Expectations left expectations out.", feed=self.contract.feed)
        for result in results:
            _raise_exceptions(self.contract, result)
        return results


def _raise_exceptions(contract: Contract, result: Any) -> None:
    information = result.exception_info or {}
    entries = [information] if "raised_exception" in information else list(information.values())
    for entry in entries:
        raised = entry.get("raised_exception") if isinstance(entry, dict) else getattr(entry, "raised_exception", True)
        if raised:
            # The message may quote values of the rows: its kind is enough here.
            raise CertificationError(
                f"Great Expectations raised an exception in {result.expectation_config.type}.",
                feed=contract.feed,
                column=str(result.expectation_config.kwargs.get("column", "")) or None,
                advice="this is a fault of the pipeline, not of the data: report it with the contract's version.",
            )


def _configuration(rule: Rule) -> dict[str, Any]:
    """The rule's expectation on the columns of :func:`typed_frame`."""
    kwargs = dict(rule.kwargs)
    if (
        rule.expectation == "expect_column_values_to_be_between"
        or rule.expectation == "expect_column_values_to_be_in_set"
    ):
        return {"type": rule.expectation, "kwargs": kwargs}
    if rule.expectation in _CORE_SINGLE:
        return {"type": rule.expectation, "kwargs": {**kwargs, "column": f"{kwargs['column']}{TEXT}"}}
    if rule.expectation == "expect_column_pair_values_a_to_be_greater_than_b":
        return {"type": rule.expectation, "kwargs": kwargs}
    others = {name: value for name, value in kwargs.items() if name != "column" and not name.endswith("_column")}
    first = f"{rule.columns[0]}{TEXT}" if rule.expectation in _TEXT_FIRST else rule.columns[0]
    listed = [first, *rule.columns[1:]]
    if rule.expectation == "expect_column_text_to_be_of_type":
        listed = [f"{rule.columns[0]}{TEXT}", rule.columns[0]]
    return {"type": rule.expectation, "kwargs": {**others, "column_list": listed, "ignore_row_if": "never"}}


def _unexpected_places(contract: Contract, rule: Rule, result: Any) -> list[int]:
    if result.success:
        return []
    places = result.result.get("unexpected_index_list")
    if places is None:
        raise CertificationError(
            f"Great Expectations names no rows for {rule.rule}.", feed=contract.feed, column=rule.column
        )
    return [int(place) for place in places]


def _to_pandas(rows: pl.DataFrame) -> Any:
    """The rows in types that Great Expectations compares: texts and dates as objects, numbers as floats."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for series in rows:
        if series.dtype == pl.Datetime:
            columns[series.name] = pd.Series(series.cast(pl.Datetime("ns")).to_numpy())
        elif series.dtype.is_numeric():
            columns[series.name] = pd.Series(series.cast(pl.Float64).to_numpy(), dtype="float64")
        else:
            columns[series.name] = pd.Series(series.to_list(), dtype=object)
    return pd.DataFrame(columns)
