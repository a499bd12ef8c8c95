"""A contract as it stands in the warehouse: the raw table's columns under their own names, for tools of the standard.

The contract's file describes what a department sends; what is kept of it differs by the pseudonym, what is derived and
what is used up. This form says the same in the standard's own words alone, so that ``datacontract test`` can hold it
against the table. Where the warehouse is, the tool has from its environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from threegaps.contracts.expanded import plain
from threegaps.contracts.model import Column, Contract
from threegaps.contracts.tables import RawColumn, physical_name, raw_columns, raw_key
from threegaps.rules.kinds.between import Between
from threegaps.rules.kinds.in_set import InSet
from threegaps.rules.kinds.match_regex import MatchRegex
from threegaps.rules.model import Rule

SERVER = "warehouse"
"""The form's server."""

_LOGICAL_TYPES = {
    "uuid": "string",
    "smallint": "integer",
    "text": "string",
    "bigint": "integer",
    "integer": "integer",
    "boolean": "boolean",
}
# What stands in the warehouse as in the file; the rest of a contract tells how it is fetched and judged.
_SAME = (
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "domain",
    "description",
    "tags",
    "team",
    "support",
    "roles",
    "authoritativeDefinitions",
)
_SAME_OF_A_COLUMN = ("businessName", "classification", "tags", "authoritativeDefinitions")


def warehouse_form(contract: Contract) -> dict[str, Any]:
    """The contract as a document of the standard about its raw table, as plain data."""
    written: Mapping[str, Any] = plain(contract.written)
    table = written["schema"][0]
    stored = {physical_name(column): column for column in contract.stored_columns}
    properties = {column["name"]: column for column in table["properties"]}
    key = raw_key(contract)
    # What is only warned of stands in the table too, so it is nothing that a test of the table could demand.
    refusing = [rule for rule in contract.rules if rule.action == "refuse"]
    described = []
    for raw in raw_columns(contract):
        column = _property(raw, stored.get(raw.name), properties)
        if raw.name in key:
            column |= {"primaryKey": True, "primaryKeyPosition": key.index(raw.name) + 1}
        # The rules on a document number say nothing of its pseudonym.
        described.append(column | (_demands(raw, refusing) if raw.name in properties else {}))
    return {
        **{name: written[name] for name in _SAME if name in written},
        "servers": [_server()],
        "schema": [
            {
                "name": table["name"],
                "physicalName": contract.table,
                "physicalType": "table",
                "businessName": table["businessName"],
                "description": table["description"],
                "properties": described,
            }
        ],
    }


def _server() -> dict[str, Any]:
    return {
        "server": SERVER,
        "type": "postgres",
        "description": "Host, port and database are those of DATACONTRACT_POSTGRES_HOST, _PORT and _DATABASE.",
        "host": "from-the-environment",
        "port": 5432,
        "database": "warehouse",
        "schema": "raw",
    }


def _property(raw: RawColumn, column: Column | None, properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the standard says of a column of the table, without what its rules demand."""
    is_kept = column is not None and raw.name == column.name
    written = properties[raw.name] if is_kept else {}
    return {
        "name": raw.name,
        "businessName": raw.meaning_zh,
        "description": raw.meaning_en,
        **{name: written[name] for name in _SAME_OF_A_COLUMN if name in written},
        "logicalType": column.logical_type if column is not None and is_kept else _LOGICAL_TYPES[raw.sql_type],
        "physicalType": raw.sql_type,
        "required": not raw.nullable,
    }


def _demands(raw: RawColumn, rules: Iterable[Rule]) -> dict[str, Any]:
    """What the rules that refuse a row demand of a column's values, in the standard's words where it has them."""
    options: dict[str, Any] = {}
    quality: list[dict[str, Any]] = []
    for rule in rules:
        of = rule.arguments
        if rule.column != raw.name:
            continue
        if isinstance(of, MatchRegex):
            options["pattern"] = of.regex
        elif isinstance(of, Between):
            bounds = {
                "exclusiveMinimum" if of.strict_min else "minimum": of.min_value,
                "exclusiveMaximum" if of.strict_max else "maximum": of.max_value,
            }
            options |= {name: bound for name, bound in bounds.items() if bound is not None}
        elif isinstance(of, InSet):
            quality.append(_codes(rule, of))
    return ({"logicalTypeOptions": options} if options else {}) | ({"quality": quality} if quality else {})


def _codes(rule: Rule, of: InSet) -> dict[str, Any]:
    return {
        "name": rule.rule,
        "type": "library",
        "metric": "invalidValues",
        "dimension": rule.dimension,
        "arguments": {"validValues": list(of.value_set)},
        "mustBe": 0,
    }
