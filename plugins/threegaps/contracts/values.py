"""Whether the values that a contract names elsewhere are among those that their columns can have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from threegaps.contracts.model import Contract
from threegaps.contracts.options.base import nearest
from threegaps.contracts.options.formats import JsonPagesFormat
from threegaps.contracts.options.normalisations import BOUNDS, BoundedNumber, Unit
from threegaps.contracts.refusals import path_of
from threegaps.errors import ContractError
from threegaps.rules.kinds.amount_fits_unit import AmountFitsUnit

_NORMALISATIONS = "customProperties/normalisations"


def check_values(contract: Contract) -> None:
    """Refuse a value that its column's code list does not have: it would never be met, or every row refused for it.

    Raises:
        ContractError: With the path of the option, the column and the nearest code.
    """
    for path, name, values in _named(contract):
        codes = [code.code for code in contract.by_name[name].code_list]
        unknown = [value for value in values if codes and value not in codes]
        if unknown:
            raise ContractError(
                f"{path}: {unknown[0]!r} is not in the column's code list{nearest(unknown[0], codes)}.",
                feed=contract.feed,
                column=name,
                advice="name a code of the list, or add it there with its meaning.",
            )
    for option in contract.normalisations:
        if isinstance(option, Unit):
            _check_factors(contract, option)


def _check_factors(contract: Contract, option: Unit) -> None:
    codes = [code.code for code in contract.by_name[option.unit_column].code_list]
    missing = [code for code in codes if code not in option.factors]
    if missing:
        raise ContractError(
            f"{_NORMALISATIONS}/unit/factors: has none for the unit {missing[0]!r} of the code list: such amounts would"
            " stay in their unit.",
            feed=contract.feed,
            column=option.unit_column,
            advice="say its factor, 1 for the base unit.",
        )


def _named(contract: Contract) -> Iterator[tuple[str, str, Iterable[str]]]:
    """(path, column, values) wherever values of a column are named."""
    withdrawal, declared = contract.withdrawal, contract.file_format
    if withdrawal is not None:
        yield "customProperties/delivery/withdrawal/value", withdrawal.column, (withdrawal.value,)
    for option in contract.normalisations:
        if isinstance(option, BoundedNumber):
            yield f"{_NORMALISATIONS}/bounded_number/boundColumn", option.bound_column, BOUNDS
        elif isinstance(option, Unit):
            yield f"{_NORMALISATIONS}/unit/factors", option.unit_column, option.factors
    if not isinstance(declared, JsonPagesFormat):
        for name, value in declared.values.items():
            yield f"customProperties/fileFormat/values/{name}", name, (value,)
        for index, layout in enumerate(declared.layouts):
            for name, value in layout.values.items():
                yield f"customProperties/fileFormat/layouts/{index}/values/{name}", name, (value,)
    for rule in (*contract.rules, *contract.batch_rules):
        for argument, name, values in rule.arguments.values():
            yield path_of(contract, rule, f"kwargs/{argument}"), name, values
        if isinstance(rule.arguments, AmountFitsUnit):
            yield path_of(contract, rule, "kwargs/bounds"), rule.arguments.other_column, rule.arguments.bounds
