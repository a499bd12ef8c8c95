"""Refusals that several checks of a contract share."""

from __future__ import annotations

from threegaps.contracts.model import Contract
from threegaps.contracts.options.base import nearest
from threegaps.errors import ContractError
from threegaps.rules.model import Rule


def path_of(contract: Contract, rule: Rule, key: str) -> str:
    """Where *key* of a rule's implementation stands in the contract's file, with the rule's name.

    A rule that follows from the contract's fields stands in none.
    """
    table = contract.written["schema"][0]
    lists = [(f"schema/0/properties/{index}", column) for index, column in enumerate(table["properties"])]
    for path, described in (*lists, ("schema/0", table)):
        for index, entry in enumerate(described.get("quality", ())):
            if entry["name"] == rule.rule:
                return f"{path}/quality/{index}/implementation/{key} (rule {rule.rule})"
    return f"rule {rule.rule}, {key.rpartition('/')[2]}"


def unknown_column(contract: Contract, path: str, name: str) -> ContractError:
    """The refusal of a column's name, found at *path*, that the contract does not describe."""
    return ContractError(
        f"{path} names a column that the contract does not describe{nearest(name, list(contract.by_name))}.",
        feed=contract.feed,
        column=name,
        advice="name one of its columns, or describe this one in schema/0/properties.",
    )
