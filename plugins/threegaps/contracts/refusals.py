"""Refusals that several checks of a contract share."""

from __future__ import annotations

from threegaps.contracts.model import Contract
from threegaps.contracts.options.base import nearest
from threegaps.errors import ContractError


def unknown_column(contract: Contract, path: str, name: str) -> ContractError:
    """The refusal of a column's name, found at *path*, that the contract does not describe."""
    return ContractError(
        f"{path} names a column that the contract does not describe{nearest(name, list(contract.by_name))}.",
        feed=contract.feed,
        column=name,
        advice="name one of its columns, or describe this one in schema/0/properties.",
    )
