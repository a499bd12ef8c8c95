"""Which connections the contracts name, and which department's system each leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from threegaps.contracts.model import Contract
from threegaps.errors import ContractError


@dataclass(frozen=True, slots=True, order=True)
class DepartmentConnection:
    """A connection id as contracts write it, the department whose system it is, and how that is reached."""

    connection_id: str
    department: str
    protocol: str


def department_connections(contracts: Iterable[Contract]) -> tuple[DepartmentConnection, ...]:
    """Every connection that the contracts use, once each, in order of their ids.

    Raises:
        ContractError: A connection id stands for two departments' systems, or for one that is reached in two ways.
    """
    known: dict[str, DepartmentConnection] = {}
    for contract in contracts:
        connection = DepartmentConnection(contract.connection_id, contract.department, contract.protocol)
        if known.setdefault(contract.connection_id, connection) != connection:
            raise ContractError(
                f"The connection {contract.connection_id} stands for another system in an earlier contract.",
                feed=contract.feed,
                advice="one connection id is one department's system, reached in one way.",
            )
    return tuple(sorted(known.values()))
