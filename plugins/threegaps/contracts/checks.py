"""What the pipeline relies on and no single option can know: whether the parts of a contract fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threegaps.contracts.file_names import check_file_names
from threegaps.contracts.layouts import check_layouts
from threegaps.contracts.model import Column, Contract, Rule
from threegaps.contracts.normalised import check_normalisations
from threegaps.contracts.options.deliveries import OPEN_END
from threegaps.contracts.options.normalisations import columns_of
from threegaps.contracts.options.sources import HttpSource
from threegaps.contracts.refusals import path_of, unknown_column
from threegaps.contracts.tables import DERIVED_COLUMNS, PERSON_COLUMN, physical_name
from threegaps.contracts.values import check_values
from threegaps.contracts.vocabulary import (
    COMPLETENESS_BY_WAY,
    FORMATS_BY_PROTOCOL,
    PROTOCOLS_BY_KIND,
)
from threegaps.errors import ContractError
from threegaps.rules.kinds.between import Between

# By logical type, as what the values that a rule lists are read from the file; days and times cannot be listed.
_VALUES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


# PostgreSQL keeps 63 characters of a name; a table's monthly parts are called by it and `_2026_06`.
_LONGEST_TABLE = 63 - len("_2026_06")


def check_contract(contract: Contract) -> None:
    """Refuse a contract whose parts do not fit together.

    Raises:
        ContractError: With the feed, the column where there is one, and what to do.
    """
    _check_feed(contract)
    _check_delivery(contract)
    _check_names(contract)
    _check_watermark(contract)
    _check_columns(contract)
    _check_touch(contract)
    check_layouts(contract)
    check_file_names(contract)
    check_normalisations(contract)
    for rule in (*contract.rules, *contract.batch_rules):
        _check_rule(contract, rule)
        _check_bounds(contract, rule)
    check_values(contract)


def _check_feed(contract: Contract) -> None:
    """The names that follow from the feed's, and those that the feed's department has with others."""
    table = contract.feed.replace("/", "_")
    if len(table) > _LONGEST_TABLE:
        raise _refusal(
            contract,
            f"id: makes a table's name of {len(table)} characters; PostgreSQL would cut the names of its parts.",
            f"say the feed's name in {_LONGEST_TABLE - len(contract.department) - 1} characters.",
        )
    if contract.table != table:
        raise _refusal(contract, f"schema/0/physicalName: is {contract.table!r}, not the feed's name.", f"say {table}.")
    pool = f"department_{contract.department}"
    if contract.pool != pool and not contract.pool.startswith(f"{pool}_"):
        raise _refusal(
            contract,
            f"servers/0/customProperties/pool: {contract.pool!r} is not the department's: fetches from it would not"
            " be bounded together.",
            f"say {pool}, or {pool}_ and a word for one of its systems.",
        )


def _check_delivery(contract: Contract) -> None:
    kind, protocol = contract.delivery_kind, contract.protocol
    if protocol not in PROTOCOLS_BY_KIND[kind]:
        known = "; ".join(f"{one} by {' or '.join(protocols)}" for one, protocols in PROTOCOLS_BY_KIND.items())
        raise _refusal(
            contract, f"Deliveries of kind {kind} cannot be fetched by protocol {protocol}.", f"there are {known}."
        )
    if contract.file_format.kind not in FORMATS_BY_PROTOCOL[protocol]:
        raise _refusal(
            contract,
            f"What comes by {protocol} cannot be {contract.file_format.kind}.",
            f"it can be {' or '.join(FORMATS_BY_PROTOCOL[protocol])}.",
        )
    known_by = COMPLETENESS_BY_WAY[kind, protocol]
    if contract.completeness.kind not in known_by:
        raise _refusal(
            contract,
            f"A delivery of kind {kind} by {protocol} cannot be complete by {contract.completeness.kind}.",
            f"it can be by {' or '.join(known_by)}.",
        )
    _check_source(contract)
    if (kind == "changes") != (contract.watermark is not None):
        raise _refusal(
            contract,
            "Changes are cut by a watermark, and only they are.",
            "say `watermark` in customProperties/delivery, or leave it out.",
        )


def _check_source(contract: Contract) -> None:
    source = contract.source
    if isinstance(source, HttpSource) and (source.window is None) == (contract.delivery_kind == "changes"):
        raise _refusal(
            contract,
            "Changes are asked for by a window of update times, and only they are.",
            "say `window` in servers/0/customProperties/source, or leave it out.",
        )


def _check_names(contract: Contract) -> None:
    """Refuse the name of a column that the contract does not describe, wherever it stands."""
    for path, name in _named_columns(contract):
        if name not in contract.by_name:
            raise unknown_column(contract, path, name)


def _named_columns(contract: Contract) -> Iterator[tuple[str, str]]:
    touch = contract.touch
    for name in (*touch.county_columns, *touch.from_columns, *touch.to_columns):
        if name != OPEN_END:
            yield "customProperties/touch", name
    for option in contract.normalisations:
        for name in columns_of(option):
            yield f"customProperties/normalisations/{option.kind}", name
    if contract.version_column:
        yield "customProperties/delivery/versionColumn", contract.version_column
    if contract.withdrawal:
        yield "customProperties/delivery/withdrawal", contract.withdrawal.column
    if contract.watermark:
        yield "customProperties/delivery/watermark", contract.watermark.column
    for rule in (*contract.rules, *contract.batch_rules):
        for argument, name, _ in rule.arguments.references():
            if name not in contract.by_name:
                yield path_of(contract, rule, f"kwargs/{argument}"), name


def _check_columns(contract: Contract) -> None:
    if not contract.key:
        raise _refusal(contract, "The feed has no key.", "mark the key's columns primaryKey.")
    version = contract.by_name[contract.version_column] if contract.version_column else None
    if contract.watermark is not None and contract.version_column != contract.watermark.column:
        raise ContractError(
            "customProperties/delivery/versionColumn: of changes it is the watermark's: windows are cut by the time by"
            " which the later version is known.",
            feed=contract.feed,
            column=contract.version_column,
            advice=f"say `versionColumn: {contract.watermark.column}`.",
        )
    if version is not None and contract.delivery_kind == "full_list":
        raise ContractError(
            "A full list has no version column: the later list is the newer one.",
            feed=contract.feed,
            column=version.name,
            advice="leave versionColumn out.",
        )
    if version is not None and contract.delivery_kind != "changes" and version.logical_type != "integer":
        raise ContractError(
            f"The version of a {contract.delivery_kind} is a correction number, and the column is a"
            f" {version.logical_type}.",
            feed=contract.feed,
            column=version.name,
            advice="name an integer column that counts corrections from 0, or leave versionColumn out.",
        )
    for column in contract.columns:
        if contract.has_person and column.name in DERIVED_COLUMNS:
            raise ContractError(
                f"schema/0/properties: {column.name} is made of {PERSON_COLUMN}, and the raw table has it already.",
                feed=contract.feed,
                column=column.name,
                advice="call what the department sends otherwise.",
            )
        _check_physical_name(contract, column)
        is_person, is_key = column.name == PERSON_COLUMN, column.name in contract.key
        if (is_person or is_key) and not column.required:
            raise ContractError(
                f"{'The person' if is_person else 'A column of the key'} must be required: the feed's table cannot"
                " hold a row without it.",
                feed=contract.feed,
                column=column.name,
                advice="say `required: true`.",
            )
        # An amount points to nobody by itself, and an indicator may need it; any other value of this grade does.
        is_amount = column.logical_type == "number" and not is_key
        if column.grade == "L4" and column.is_stored and not is_person and not is_amount:
            raise ContractError(
                f"A column of grade L4 that is no amount would be kept as it comes: only {PERSON_COLUMN} is replaced by"
                " a pseudonym.",
                feed=contract.feed,
                column=column.name,
                advice="take it out of the contract, or say that it is not stored (`stored: false`).",
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
            "Windows of changes are cut by a timestamp that every row has.",
            feed=contract.feed,
            column=column.name,
            advice="say `logicalType: timestamp` and `required: true`.",
        )


def _check_physical_name(contract: Contract, column: Column) -> None:
    """The physical name is the raw table's column, which is not the contract's to choose."""
    if column.physical_name is None:
        return
    if not column.is_stored:
        raise ContractError(
            "A column that is not stored has no physicalName.",
            feed=contract.feed,
            column=column.name,
            advice="leave it out.",
        )
    expected = physical_name(column)
    if column.physical_name != expected:
        raise ContractError(
            f"The raw table's column is {expected}, not {column.physical_name}.",
            feed=contract.feed,
            column=column.name,
            advice=f"say `physicalName: {expected}`; what the department calls it stands in `headers`.",
        )


def _check_rule(contract: Contract, rule: Rule) -> None:
    if rule.kind.scope == "batch" and rule.action == "refuse":
        raise _refusal(
            contract,
            f"{path_of(contract, rule, 'meta/action')} cannot be refuse: it judges a batch as a whole.",
            "say `stop` or `warn`.",
        )
    if rule.kind.must_refuse and rule.action != "refuse":
        raise _refusal(
            contract,
            f"{path_of(contract, rule, 'meta/action')}: must be refuse: the feed's table cannot hold a row that it"
            " speaks against.",
            "leave its action out.",
        )
    for argument, name, reads in rule.arguments.references():
        logical_type = contract.by_name[name].logical_type
        if reads.logical_types is not None and logical_type not in reads.logical_types:
            raise ContractError(
                f"{path_of(contract, rule, f'kwargs/{argument}')}: names a column that is a {logical_type}; it judges"
                f" {', '.join(sorted(reads.logical_types))}.",
                feed=contract.feed,
                column=name,
                advice="name another column, or another kind of rule.",
            )
    for argument, name, values in rule.arguments.values():
        logical_type = contract.by_name[name].logical_type
        fitting = _VALUES.get(logical_type, ())
        if any(type(value) not in fitting for value in values):
            raise ContractError(
                f"{path_of(contract, rule, f'kwargs/{argument}')}: has a value that no {logical_type} can have.",
                feed=contract.feed,
                column=name,
                advice="write codes in quotes, yes and no as true and false.",
            )


def _check_bounds(contract: Contract, rule: Rule) -> None:
    """Days are bounded by days, and numbers by numbers."""
    of = rule.arguments
    if not isinstance(of, Between):
        return
    is_day = contract.by_name[of.column].logical_type == "date"
    for argument, bound in (("min_value", of.min_value), ("max_value", of.max_value)):
        if bound is not None and isinstance(bound, str) != is_day:
            raise ContractError(
                f"{path_of(contract, rule, f'kwargs/{argument}')}: is no {'day' if is_day else 'number'}.",
                feed=contract.feed,
                column=of.column,
                advice="write a day in quotes, like '2026-06-30'." if is_day else "write a number, without quotes.",
            )


def _refusal(contract: Contract, message: str, advice: str) -> ContractError:
    return ContractError(message, feed=contract.feed, advice=advice)
