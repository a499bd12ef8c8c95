"""What a contract's raw table looks like: canonical columns with the person pseudonymised, then system columns."""

from __future__ import annotations

from dataclasses import dataclass

from threegaps.contracts.model import Contract

PERSON_COLUMN = "resident_id"
"""The canonical column whose value never leaves the batch."""

QUARANTINE_COLUMNS = (
    "row_token",
    "batch_id",
    "feed",
    "delivery",
    "landed_object_id",
    "row_number",
    "county_code",
    "row_data",
    "reasons",
)


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of a raw table, for its DDL."""

    name: str
    sql_type: str
    nullable: bool
    description_zh: str
    description_en: str


_PERSON_COLUMNS = (
    RawColumn("person_id", "uuid", False, "人员假名(密钥散列)", "Keyed pseudonym of the person"),
    RawColumn("birth_year", "smallint", True, "出生年份(由身份证号推得)", "Year of birth, from the identity number"),
    RawColumn("sex", "text", True, "性别(M男,F女)", "Sex, from the identity number"),
)

SYSTEM_COLUMNS = (
    RawColumn("_batch_id", "bigint", False, "批次", "The batch that said it"),
    RawColumn("_landed_object_id", "bigint", False, "落地对象", "The landed object that it stands in"),
    RawColumn("_row_number", "integer", False, "行号", "Its data row there, from 1"),
    RawColumn("_version", "bigint", False, "版本", "Source update time in epoch microseconds, or correction number"),
    RawColumn("_withdrawn", "boolean", False, "已撤回", "Whether this version withdraws the row"),
)


def raw_columns(contract: Contract) -> tuple[RawColumn, ...]:
    """Columns of the contract's raw table in order: canonical, derived from the document number, system."""
    key = set(contract.key)
    columns: list[RawColumn] = []
    for column in contract.stored_columns:
        if column.name == PERSON_COLUMN:
            columns.append(_PERSON_COLUMNS[0])
            continue
        is_nullable = not column.required and column.name not in key
        columns.append(
            RawColumn(column.name, column.sql_type, is_nullable, column.description_zh, column.description_en)
        )
    if contract.has_person:
        columns.extend(_PERSON_COLUMNS[1:])
    return (*columns, *SYSTEM_COLUMNS)


def accepted_columns(contract: Contract) -> tuple[str, ...]:
    """Names of the raw table's columns, in the order in which a judged block carries them."""
    return tuple(column.name for column in raw_columns(contract))


def raw_key(contract: Contract) -> tuple[str, ...]:
    """The raw table's primary key: the feed's key, with the person's pseudonym in place of the document number."""
    return tuple("person_id" if name == PERSON_COLUMN else name for name in contract.key)
