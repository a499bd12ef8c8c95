"""Read contracts: fast, without a network, a clock or a heavy import, so that DAG files may do it at every parse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from threegaps.calendar import CADENCES
from threegaps.contracts.model import (
    LOGICAL_TYPES,
    Code,
    Column,
    Contract,
    Rule,
    Touch,
    Withdrawal,
)
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.contracts.vocabulary import (
    BATCH_EXPECTATIONS,
    KEY_EXPECTATION,
    PROTOCOLS_BY_KIND,
    ROW_EXPECTATIONS,
    SHAPE_EXPECTATION,
    rule_columns,
)
from threegaps.errors import ContractError

SUFFIX = ".odcs.yaml"
_ACTIONS = frozenset({"refuse", "warn", "stop"})
_GRADES = frozenset({"L1", "L2", "L3", "L4"})


def load_contracts(root: Path) -> tuple[Contract, ...]:
    """All contracts below *root* (the folder ``expectations``), sorted by feed."""
    return tuple(load_contract(path) for path in sorted(Path(root).glob(f"*/*{SUFFIX}")))


def find_contract(root: Path, feed: str) -> Contract:
    """The contract of *feed* (``department/name``).

    Raises:
        ContractError: There is none of that name.
    """
    path = Path(root) / f"{feed}{SUFFIX}"
    if feed.count("/") != 1 or not path.is_file():
        raise ContractError("There is no contract for this feed.", feed=feed, advice="see `threegaps feeds`.")
    return load_contract(path)


def load_contract(path: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: It is not YAML, something that a feed needs is missing, or a rule uses an expectation type
            that has no translation (named in the message).
    """
    path = Path(path)
    content = path.read_bytes()
    try:
        document = yaml.load(content, Loader=yaml.CSafeLoader)  # CSafeLoader is the safe one in C
    except yaml.YAMLError as error:
        raise ContractError(f"Not valid YAML: {error}.", file=path.name) from error
    try:
        return _contract(document, hashlib.sha256(content).hexdigest())
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ContractError(
            f"The contract lacks {error}." if isinstance(error, KeyError) else f"The contract is malformed: {error}.",
            file=path.name,
            advice="compare it with a contract beside it, or run `make lint`.",
        ) from error


def _contract(document: Mapping[str, Any], digest: str) -> Contract:
    feed = document["id"]
    department, name = feed.split("/")
    custom = _custom(document)
    schema = document["schema"][0]
    raw_columns = schema["properties"]
    columns = tuple(_column(feed, entry) for entry in raw_columns)
    key = sorted(
        (entry["primaryKeyPosition"], entry["name"]) for entry in raw_columns if entry.get("primaryKey", False)
    )
    rules = tuple(_rules(feed, raw_columns, schema))
    delivery = custom["delivery"]
    server = document["servers"][0]
    reached = _custom(server)
    withdrawal = delivery.get("withdrawal")
    touch = custom["touch"]
    contract = Contract(
        feed=feed,
        department=department,
        name=name,
        version=str(document["version"]),
        title_zh=custom["titleZh"],
        title_en=document["name"],
        owner_zh=custom["ownerZh"],
        protocol=reached["protocol"],
        connection_id=reached["connectionId"],
        source=reached["source"],
        file_format=custom["fileFormat"],
        normalisations=tuple(custom["normalisations"]),
        cadence=delivery["cadence"],
        due_cron=delivery["dueCron"],
        due_day=delivery["dueDay"],
        first_delivery=str(delivery["firstDelivery"]),
        delivery_kind=delivery["kind"],
        watermark_overlap_seconds=int(delivery.get("watermarkOverlapSeconds", 0)),
        version_column=delivery.get("versionColumn"),
        withdrawal=Withdrawal(withdrawal["column"], withdrawal["value"]) if withdrawal else None,
        key=tuple(column for _, column in key),
        columns=columns,
        rules=tuple(rule for rule in rules if rule.expectation in ROW_EXPECTATIONS),
        batch_rules=tuple(rule for rule in rules if rule.expectation in BATCH_EXPECTATIONS),
        touch=Touch(tuple(touch["countyColumns"]), tuple(touch["fromColumns"]), tuple(touch["toColumns"])),
        partition_column=next((entry["name"] for entry in raw_columns if entry.get("partitioned")), None),
        completeness=delivery["completeness"],
        table=schema["physicalName"],
        pool=reached["pool"],
        hash=digest,
        by_name={column.name: column for column in columns},
    )
    _check(contract)
    return contract


def _custom(element: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in element.get("customProperties", ())}


def _column(feed: str, entry: Mapping[str, Any]) -> Column:
    custom = _custom(entry)
    name = entry["name"]
    if entry["logicalType"] not in LOGICAL_TYPES:
        raise ContractError(f"Logical type {entry['logicalType']!r} is not one that feeds use.", feed=feed, column=name)
    if entry["classification"] not in _GRADES:
        raise ContractError("The personal-data grade is not one of L1 to L4.", feed=feed, column=name)
    return Column(
        name=name,
        source_name=entry["physicalName"],
        logical_type=entry["logicalType"],
        sql_type=entry["physicalType"],
        required=bool(entry.get("required", False)),
        grade=entry["classification"],
        description_zh=entry["businessName"],
        description_en=entry["description"],
        is_stored=bool(custom.get("stored", True)),
        code_list=tuple(Code(code, labels[0], labels[1]) for code, labels in custom.get("codeList", {}).items()),
    )


def _rules(feed: str, columns: list[Mapping[str, Any]], schema: Mapping[str, Any]) -> Iterator[Rule]:
    names = {entry["name"] for entry in columns}
    seen: set[str] = set()
    for element in (*columns, schema):
        for quality in element.get("quality", ()):
            implementation = quality["implementation"]
            meta, kwargs = implementation["meta"], implementation.get("kwargs", {})
            expectation = implementation["type"]
            rule = meta["rule"]
            if expectation not in ROW_EXPECTATIONS and expectation not in BATCH_EXPECTATIONS:
                raise ContractError(
                    f"Rule {rule} uses {expectation}, which has no translation.",
                    feed=feed,
                    advice="use one that has, or add its translation, custom expectation and property test.",
                )
            if meta["action"] not in _ACTIONS or (expectation in BATCH_EXPECTATIONS and meta["action"] == "refuse"):
                raise ContractError(f"Rule {rule} cannot have the action {meta['action']!r}.", feed=feed)
            if expectation in {KEY_EXPECTATION, SHAPE_EXPECTATION} and meta["action"] != "refuse":
                raise ContractError(
                    f"Rule {rule} must refuse: a row that it speaks against has no place in the feed's table.",
                    feed=feed,
                )
            if rule in seen:
                raise ContractError(f"Rule {rule} stands twice.", feed=feed)
            seen.add(rule)
            read = rule_columns(kwargs)
            unknown = [name for name in read if name not in names]
            if unknown:
                raise ContractError(f"Rule {rule} reads a column that is not there.", feed=feed, column=unknown[0])
            yield Rule(rule, expectation, kwargs, meta["action"], meta["message_zh"], meta["message_en"], read)


def _check(contract: Contract) -> None:
    """What the pipeline relies on and the standard does not know."""
    names = {column.name for column in contract.columns}
    if all(contract.protocol not in protocols for protocols in PROTOCOLS_BY_KIND.values()):
        raise ContractError(f"Protocol {contract.protocol!r} is not known.", feed=contract.feed)
    if contract.cadence not in CADENCES:
        raise ContractError(f"Cadence {contract.cadence!r} is not known.", feed=contract.feed)
    if contract.delivery_kind not in PROTOCOLS_BY_KIND:
        raise ContractError(f"Delivery kind {contract.delivery_kind!r} is not known.", feed=contract.feed)
    if contract.protocol not in PROTOCOLS_BY_KIND[contract.delivery_kind]:
        there_are = "; ".join(f"{kind} by {' or '.join(known)}" for kind, known in PROTOCOLS_BY_KIND.items())
        raise ContractError(
            f"Deliveries of kind {contract.delivery_kind} cannot be fetched by protocol {contract.protocol}.",
            feed=contract.feed,
            advice=f"there are {there_are}.",
        )
    if not contract.key:
        raise ContractError("The feed has no key.", feed=contract.feed, advice="mark the key's columns primaryKey.")
    named = [
        *contract.touch.county_columns,
        *contract.touch.from_columns,
        *(name for name in contract.touch.to_columns if name != "infinity"),
        *filter(None, (contract.version_column, contract.withdrawal.column if contract.withdrawal else None)),
    ]
    for name in named:
        if name not in names:
            raise ContractError(
                "The contract names a column that it does not describe.", feed=contract.feed, column=name
            )
    _check_columns(contract)


def _check_columns(contract: Contract) -> None:
    version = contract.by_name[contract.version_column] if contract.version_column else None
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
        is_person, is_key = column.name == PERSON_COLUMN, column.name in contract.key
        if (is_person or is_key) and not column.required:
            raise ContractError(
                f"{'The person' if is_person else 'A column of the key'} must be required: a row without it has no"
                " place in the feed's table.",
                feed=contract.feed,
                column=column.name,
                advice=f"say `required: true` and add the rule {column.name}_required.",
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
