"""What the pipeline relies on and no single option can know: whether the parts of a contract fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threegaps.calendar import Delivery
from threegaps.contracts.columns import check_columns
from threegaps.contracts.file_names import check_file_names
from threegaps.contracts.layouts import check_layouts
from threegaps.contracts.model import Contract, Rule
from threegaps.contracts.normalised import check_normalisations
from threegaps.contracts.options.deliveries import NO_END
from threegaps.contracts.options.normalisations import columns_of
from threegaps.contracts.options.sources import HttpSource
from threegaps.contracts.refusals import path_of, unknown_column
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
    check_columns(contract)
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
            contract,
            f"customProperties/delivery/kind: deliveries of kind {kind} cannot be fetched by protocol {protocol}.",
            f"there are {known}.",
        )
    if contract.file_format.kind not in FORMATS_BY_PROTOCOL[protocol]:
        raise _refusal(
            contract,
            f"customProperties/fileFormat/kind: what comes by {protocol} cannot be {contract.file_format.kind}.",
            f"it can be {' or '.join(FORMATS_BY_PROTOCOL[protocol])}.",
        )
    known_by = COMPLETENESS_BY_WAY[kind, protocol]
    if contract.completeness.kind not in known_by:
        raise _refusal(
            contract,
            f"customProperties/delivery/completeness/kind: a delivery of kind {kind} by {protocol} cannot be complete"
            f" by {contract.completeness.kind}.",
            f"it can be by {' or '.join(known_by)}.",
        )
    _check_source(contract)
    first = Delivery.parse(contract.cadence, contract.first_delivery).start
    if contract.covers_from is not None and (kind != "full_list" or contract.covers_from > first):
        raise _refusal(
            contract,
            "customProperties/delivery/coversFrom: only full lists tell of days before their first delivery.",
            "leave it out, or say a day before the first delivery.",
        )
    if contract.owed_by_county is not None and (contract.owed_by_county,) != contract.touch.county_columns[:1]:
        raise _refusal(
            contract,
            "customProperties/delivery/owedByCounty: must be the first of touch/countyColumns: by it refused rows are"
            " counted too.",
            "name that column in both places.",
        )
    if (kind == "changes") != (contract.watermark is not None):
        raise _refusal(
            contract,
            "customProperties/delivery/watermark: changes are cut by a watermark, and only they are.",
            "say it, or leave it out.",
        )


def _check_source(contract: Contract) -> None:
    source = contract.source
    if isinstance(source, HttpSource) and (source.window is None) == (contract.delivery_kind == "changes"):
        raise _refusal(
            contract,
            "servers/0/customProperties/source/window: changes are asked for by a window of update times, and only they"
            " are.",
            "say it, or leave it out.",
        )


def _check_names(contract: Contract) -> None:
    """Refuse the name of a column that the contract does not describe, wherever it stands."""
    for path, name in _named_columns(contract):
        if name not in contract.by_name:
            raise unknown_column(contract, path, name)


def _named_columns(contract: Contract) -> Iterator[tuple[str, str]]:
    touch = contract.touch
    for name in (*touch.county_columns, *touch.from_columns, *touch.to_columns):
        if name != NO_END:
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
    if contract.owed_by_county:
        yield "customProperties/delivery/owedByCounty", contract.owed_by_county
    for rule in (*contract.rules, *contract.batch_rules):
        for argument, name, _ in rule.arguments.references():
            if name not in contract.by_name:
                yield path_of(contract, rule, f"kwargs/{argument}"), name


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
