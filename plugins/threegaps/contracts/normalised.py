"""Whether the declared normalisations fit the columns: what they read, and what they make."""

from __future__ import annotations

from collections.abc import Mapping

from threegaps.contracts.model import Contract
from threegaps.contracts.options.normalisations import (
    BooleanWords,
    DeclaredUnit,
    Normalisation,
    Unit,
    made_columns,
    read_types,
)
from threegaps.errors import ContractError

_WHERE = "customProperties/normalisations"


def check_normalisations(contract: Contract) -> None:
    """Refuse normalisations that could not run on the contract's columns, and columns that nothing fills.

    Raises:
        ContractError: With the column.
    """
    made: dict[str, str] = {}
    _check_once(contract)
    for option in contract.normalisations:
        _check_types(contract, option, read_types(option), "reads")
        _check_types(contract, option, made_columns(option), "makes")
        for name in made_columns(option):
            column = contract.by_name[name]
            if column.headers or column.origin:
                problem = "which the department sends too"
            elif name in made:
                problem = f"which {made[name]} makes too"
            else:
                made[name] = option.kind
                continue
            raise ContractError(f"{_WHERE}/{option.kind} makes the column, {problem}.", feed=contract.feed, column=name)
    for column in contract.columns:
        if not column.headers and column.origin is None and column.name not in made:
            raise ContractError(
                "The column has no headers and no origin, and no normalisation makes it.",
                feed=contract.feed,
                column=column.name,
                advice="say what the department calls it (`headers`), or where its values come from.",
            )


def _check_once(contract: Contract) -> None:
    """An amount whose unit is declared twice would be multiplied twice; of two pairs of words the last would count."""
    seen: dict[tuple[str, str], str] = {}
    for option in contract.normalisations:
        if not isinstance(option, Unit | DeclaredUnit | BooleanWords):
            continue
        changes = "words" if isinstance(option, BooleanWords) else "unit"
        for name in option.columns if isinstance(option, DeclaredUnit) else (option.column,):
            if (changes, name) in seen:
                raise ContractError(
                    f"{_WHERE}/{option.kind} says the column's {changes}, which {seen[changes, name]} says already.",
                    feed=contract.feed,
                    column=name,
                    advice="keep one of them.",
                )
            seen[changes, name] = option.kind


def _check_types(contract: Contract, option: Normalisation, types: Mapping[str, tuple[str, ...]], does: str) -> None:
    for name, allowed in types.items():
        found = contract.by_name[name].logical_type
        if found not in allowed:
            raise ContractError(
                f"{_WHERE}/{option.kind} {does} the column, which is a {found}, as {' or '.join(allowed)}.",
                feed=contract.feed,
                column=name,
            )
