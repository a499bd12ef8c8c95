"""Whether the columns of a contract can be what its key, versions, touch and table ask of them."""

from __future__ import annotations

from threegaps.contracts.model import Column, Contract
from threegaps.contracts.options.normalisations import ResidentId
from threegaps.contracts.tables import DERIVED_COLUMNS, PERSON_COLUMN, physical_name
from threegaps.errors import ContractError

_DELIVERY = "customProperties/delivery"


def check_columns(contract: Contract) -> None:
    """Refuse columns that could not be in the feed's table, or not do there what the contract says of them.

    Raises:
        ContractError: With the path of what is wrong, the column where there is one, and what to do.
    """
    if not contract.key:
        raise ContractError(
            "schema/0/properties: the feed has no key.",
            feed=contract.feed,
            advice="mark the key's columns primaryKey.",
        )
    _check_watermark(contract)
    _check_version(contract)
    for column in contract.columns:
        _check_column(contract, column)
    _check_person(contract)
    _check_touch(contract)


def _check_version(contract: Contract) -> None:
    version = contract.by_name[contract.version_column] if contract.version_column else None
    if contract.watermark is not None and contract.version_column != contract.watermark.column:
        raise ContractError(
            f"{_DELIVERY}/versionColumn: of changes it is the watermark's: windows are cut by the time by"
            " which the later version is known.",
            feed=contract.feed,
            column=contract.version_column,
            advice=f"say `versionColumn: {contract.watermark.column}`.",
        )
    if version is not None and contract.delivery_kind == "full_list":
        raise ContractError(
            f"{_DELIVERY}/versionColumn: a full list has none: the later list is the newer one.",
            feed=contract.feed,
            column=version.name,
            advice="leave versionColumn out.",
        )
    if version is not None and contract.delivery_kind != "changes" and version.logical_type != "integer":
        raise ContractError(
            f"{_DELIVERY}/versionColumn: the version of a {contract.delivery_kind} is a correction number, and the"
            f" column is a {version.logical_type}.",
            feed=contract.feed,
            column=version.name,
            advice="name an integer column that counts corrections from 0, or leave versionColumn out.",
        )


def _check_column(contract: Contract, column: Column) -> None:
    if contract.has_person and column.name in DERIVED_COLUMNS:
        raise _refusal(
            contract,
            column,
            "name",
            f"{column.name} is made of {PERSON_COLUMN}, and the raw table has it already.",
            "call what the department sends otherwise.",
        )
    _check_physical_name(contract, column)
    is_person, is_key = column.name == PERSON_COLUMN, column.name in contract.key
    if (is_person or is_key) and not column.required:
        raise _refusal(
            contract,
            column,
            "required",
            f"{'the person' if is_person else 'a column of the key'} must be required: the feed's table cannot hold a"
            " row without it.",
            "say `required: true`.",
        )
    # An amount points to nobody by itself, and an indicator may need it; any other value of this grade does.
    is_amount = column.logical_type == "number" and not is_key
    if column.grade == "L4" and column.is_stored and not is_person and not is_amount:
        raise _refusal(
            contract,
            column,
            "classification",
            f"of grade L4 and no amount, it would be kept as it comes: a pseudonym replaces {PERSON_COLUMN} only.",
            "take it out of the contract, or say that it is not stored (`stored: false`).",
        )


def _check_person(contract: Contract) -> None:
    """A number that is not in its canonical form first would have a pseudonym of its own, and join nothing."""
    declared = {option.column for option in contract.normalisations if isinstance(option, ResidentId)}
    if contract.has_person and PERSON_COLUMN not in declared:
        raise ContractError(
            f"customProperties/normalisations: none of kind resident_id reads {PERSON_COLUMN}, so that one person's"
            " numbers would have several pseudonyms.",
            feed=contract.feed,
            column=PERSON_COLUMN,
            advice=f"add {{kind: resident_id, column: {PERSON_COLUMN}, typeColumn: that of the document's kind}}.",
        )


def _check_touch(contract: Contract) -> None:
    """Counties and days are read from the raw table's own columns."""
    touch = contract.touch
    kinds = (
        ("countyColumns", touch.county_columns, "string"),
        ("fromColumns", touch.from_columns, "date"),
        ("toColumns", touch.to_columns, "date"),
    )
    for key, names, logical_type in kinds:
        for name in names:
            column = contract.by_name.get(name)
            if column is not None and (column.logical_type != logical_type or not column.is_stored):
                found = column.logical_type if column.is_stored else f"{column.logical_type} that is not stored"
                raise ContractError(
                    f"customProperties/touch/{key}: names a {found}; what a row touches is read from a {logical_type}"
                    " of its table.",
                    feed=contract.feed,
                    column=name,
                    advice=f"name a stored column of logicalType {logical_type}.",
                )


def _check_watermark(contract: Contract) -> None:
    if contract.watermark is None:
        return
    column = contract.by_name[contract.watermark.column]
    if column.logical_type != "timestamp" or not column.required:
        raise ContractError(
            f"{_DELIVERY}/watermark/column: windows of changes are cut by a timestamp that every row has.",
            feed=contract.feed,
            column=column.name,
            advice="say `logicalType: timestamp` and `required: true`.",
        )


def _check_physical_name(contract: Contract, column: Column) -> None:
    """The physical name is the raw table's column, which is not the contract's to choose."""
    if column.physical_name is None:
        return
    if not column.is_stored:
        raise _refusal(contract, column, "physicalName", "a column that is not stored has none.", "leave it out.")
    expected = physical_name(column)
    if column.physical_name != expected:
        raise _refusal(
            contract,
            column,
            "physicalName",
            f"the raw table's column is {expected}, not {column.physical_name}.",
            f"say `physicalName: {expected}`; what the department calls it stands in `headers`.",
        )


def _refusal(contract: Contract, column: Column, key: str, message: str, advice: str) -> ContractError:
    index = [known.name for known in contract.columns].index(column.name)
    return ContractError(
        f"schema/0/properties/{index}/{key}: {message}", feed=contract.feed, column=column.name, advice=advice
    )
