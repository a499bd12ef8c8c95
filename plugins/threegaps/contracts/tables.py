"""What a contract's raw table looks like: canonical columns with the person pseudonymised, then system columns."""

from __future__ import annotations

from dataclasses import dataclass

from threegaps.contracts.labels import bilingual, meaning_zh
from threegaps.contracts.model import Column, Contract

PERSON_COLUMN = "resident_id"
"""The canonical column whose value never leaves the batch."""

PSEUDONYM_COLUMN = "person_id"
"""What the raw table has instead."""

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
    "key_hash",
)


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of a raw table, for its DDL."""

    name: str
    sql_type: str
    nullable: bool
    meaning_zh: str
    meaning_en: str

    @property
    def comment(self) -> str:
        """What readers of the database see, in both languages."""
        return bilingual(self.meaning_zh, self.meaning_en)


_PERSON_COLUMNS = (
    RawColumn(PSEUDONYM_COLUMN, "uuid", False, "证件号码的带密钥假名", "Keyed pseudonym of the document number"),
    RawColumn(
        "birth_year",
        "smallint",
        True,
        "出生年份(由居民身份证号码推得;其他证件为空)",
        "Year of birth, from the resident identity number; none for other documents",
    ),
    RawColumn(
        "sex",
        "text",
        True,
        "性别(M男,F女;由居民身份证号码推得;其他证件为空)",
        "Sex, from the resident identity number; none for other documents",
    ),
)

DERIVED_COLUMNS = frozenset(column.name for column in _PERSON_COLUMNS)
"""What the raw table of a feed about persons has of the document number."""

SYSTEM_COLUMNS = (
    RawColumn("_batch_id", "bigint", False, "载入批次", "The batch that loaded the row"),
    RawColumn("_landed_object_id", "bigint", False, "到达文件", "The landed object that holds it"),
    RawColumn("_row_number", "integer", False, "到达文件中的数据行号", "Its data row there, from 1"),
    RawColumn(
        "_version",
        "bigint",
        False,
        "行版本(来源更新时间的微秒数或更正序号)",
        "Source update time in epoch microseconds, or correction number",
    ),
    RawColumn("_withdrawn", "boolean", False, "是否已被来源撤回", "Whether this version withdraws the row"),
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
        columns.append(RawColumn(column.name, column.sql_type, is_nullable, meaning_zh(column), column.description_en))
    if contract.has_person:
        columns.extend(_PERSON_COLUMNS[1:])
    return (*columns, *SYSTEM_COLUMNS)


def staged_columns(contract: Contract) -> tuple[RawColumn, ...]:
    """Columns of the contract's staging view: the raw table's, and of the system's only the batch."""
    left_out = {column.name for column in SYSTEM_COLUMNS if column.name != "_batch_id"}
    return tuple(column for column in raw_columns(contract) if column.name not in left_out)


def accepted_columns(contract: Contract) -> tuple[str, ...]:
    """Names of the raw table's columns, in the order in which a judged block carries them."""
    return tuple(column.name for column in raw_columns(contract))


def raw_key(contract: Contract) -> tuple[str, ...]:
    """The raw table's primary key: the feed's key, with the person's pseudonym instead of the document number."""
    return tuple(PSEUDONYM_COLUMN if name == PERSON_COLUMN else name for name in contract.key)


def physical_name(column: Column) -> str:
    """The raw table's column in which a stored column of the contract is kept."""
    return PSEUDONYM_COLUMN if column.name == PERSON_COLUMN else column.name
