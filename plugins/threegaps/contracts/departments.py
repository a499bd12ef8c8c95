"""Which connections the contracts name, and which department's system each leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from threegaps.contracts.model import Contract
from threegaps.errors import ContractError


@dataclass(frozen=True, slots=True, order=True)
class DepartmentConnection:
    """A connection id as contracts write it, the department whose system it is, and how that is reached.

    Args:
        connection_id: Its name.
        department: Whose system it leads to.
        protocol: How that is reached.
        pool: What bounds how many fetch from it at a time.
    """

    connection_id: str
    department: str
    protocol: str
    pool: str


def department_connections(contracts: Iterable[Contract]) -> tuple[DepartmentConnection, ...]:
    """Every connection that the contracts use, once each, in order of their ids.

    Raises:
        ContractError: A connection id stands for two departments' systems, for one that is reached in two ways, or
            for one that two pools bound.
    """
    known: dict[str, DepartmentConnection] = {}
    for contract in contracts:
        connection = DepartmentConnection(contract.connection_id, contract.department, contract.protocol, contract.pool)
        earlier = known.setdefault(contract.connection_id, connection)
        if earlier != connection:
            raise ContractError(
                f"servers/0/customProperties/connectionId: {contract.connection_id} is {_words(connection)} here, and"
                f" {_words(earlier)} in an earlier contract.",
                feed=contract.feed,
                advice="one connection id is one department's system, reached in one way, in one pool.",
            )
    return tuple(sorted(known.values()))


def departments_with_database(connections: Iterable[DepartmentConnection]) -> tuple[str, ...]:
    """Departments whose database is read over one of *connections*, once each and in their order."""
    return tuple(
        dict.fromkeys(connection.department for connection in connections if connection.protocol == "database")
    )


def _words(connection: DepartmentConnection) -> str:
    return f"{connection.department}'s by {connection.protocol} in pool {connection.pool}"
