"""A class of Great Expectations for each kind of rule; importing this module registers them.

It takes seconds to import, as Great Expectations does: only certification and Data Docs do.
"""

from __future__ import annotations

from typing import Any, ClassVar

import great_expectations.expectations as core
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_condition_partial,
)
from great_expectations.validator.validator import ValidationDependencies

from threegaps.rules.model import RuleKind
from threegaps.rules.registry import KINDS

_DOMAIN = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
_MOST_KEPT = 10_000


class _Kept:
    """Keeps what an expectation says that it needs to know of a batch: it follows from its fields and is asked twice.

    Making it takes half of the time that a batch of few rows is certified in.
    """

    _dependencies: ClassVar[dict[tuple[type, str, str], ValidationDependencies]] = {}
    _asked: ClassVar[tuple[object, Any]] = (None, None)

    @property
    def configuration(self) -> Any:
        """The expectation's own, which is made anew whenever it is asked for."""
        asked, configuration = _Kept._asked
        made: Any = super()
        return configuration if asked is self else made.configuration

    def _get_runtime_kwargs(self, runtime_configuration: Any = None) -> Any:
        # It asks for the configuration once for each argument.
        made: Any = super()
        _Kept._asked = (self, made.configuration)
        try:
            return made._get_runtime_kwargs(runtime_configuration)
        finally:
            _Kept._asked = (None, None)

    def get_validation_dependencies(
        self, execution_engine: Any = None, runtime_configuration: Any = None
    ) -> ValidationDependencies:
        kept, key = self._dependencies, (type(self), repr(self.__dict__), repr(runtime_configuration))
        if key not in kept:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            made: Any = super()
            kept[key] = made.get_validation_dependencies(execution_engine, runtime_configuration)
        found = kept[key]
        return ValidationDependencies(dict(found.metric_configurations), dict(found.result_format))


def _class_of(kind: RuleKind) -> type[Any]:
    name = "".join(word.capitalize() for word in kind.expectation.split("_"))
    if kind.condition is None:
        own: Any = getattr(core, name)
        make_own: Any = type(own)
        kept: type[Any] = make_own(name, (_Kept, own), {"__doc__": own.__doc__, "__module__": __name__})
        return kept
    is_of_column = kind.is_of_one_column
    metric = f"{'column' if is_of_column else 'multicolumn'}_values.{kind.expectation.removeprefix('expect_')}"
    # Registered under the metric's name as they are defined.
    _column_metric(kind, metric) if is_of_column else _row_metric(kind, metric)
    fields: dict[str, Any] = dict.fromkeys(kind.other_arguments)
    annotations: dict[str, Any] = dict.fromkeys(kind.other_arguments, Any)
    if not is_of_column:
        # A row with missing values is judged too: whether that is right is the rule's to say.
        fields["ignore_row_if"] = "never"
        annotations["ignore_row_if"] = str
    base: Any = ColumnMapExpectation if is_of_column else MulticolumnMapExpectation
    make: Any = type(base)  # Great Expectations' own, which registers what it makes
    made: type[Any] = make(
        name,
        (_Kept, base),
        {
            "__annotations__": annotations,
            "__doc__": kind.arguments.__doc__,
            "__module__": __name__,
            "map_metric": metric,
            "success_keys": (*kind.other_arguments, "mostly"),
            **fields,
        },
    )
    return made


def _row_metric(kind: RuleKind, metric: str) -> None:
    judge, names = kind.condition, kind.other_arguments

    class Condition(MulticolumnMapMetricProvider):
        condition_metric_name = metric
        condition_domain_keys = _DOMAIN
        condition_value_keys = names

        @multicolumn_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column_list: Any, **given: Any) -> Any:  # noqa: N805
            return judge(column_list, **_arguments(names, given))  # type: ignore[misc]  # there is one, see above


def _column_metric(kind: RuleKind, metric: str) -> None:
    judge, names = kind.condition, kind.other_arguments

    class Condition(ColumnMapMetricProvider):
        condition_metric_name = metric
        condition_value_keys = names

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: Any, **given: Any) -> Any:  # noqa: N805
            return judge(column, **_arguments(names, given))  # type: ignore[misc]  # there is one, see above


def _arguments(names: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Those of the *given* arguments that are the kind's own and not left out."""
    return {name: given[name] for name in names if given.get(name) is not None}


CLASSES: dict[str, type[Any]] = {expectation: _class_of(kind) for expectation, kind in KINDS.items()}
"""By the expectation's type."""
