"""Read contracts: fast, without a network, a clock or a heavy import, so that DAG files may do it at every parse."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from threegaps.calendar import CADENCES, Cadence, Delivery
from threegaps.contracts.checks import check_contract
from threegaps.contracts.departments import department_connections
from threegaps.contracts.document import ContractDocument, Property, keyed_document
from threegaps.contracts.model import Code, Column, Contract, header_of
from threegaps.contracts.options.base import explain
from threegaps.contracts.options.formats import FileFormat, layouts_of
from threegaps.contracts.reading import plain_data
from threegaps.contracts.rules import rules_of
from threegaps.contracts.workbooks import check_shared_workbooks
from threegaps.errors import ContractError, SettingsError
from threegaps.standards.nearest import did_you_mean

SUFFIX = ".odcs.yaml"


def load_contracts(root: Path) -> tuple[Contract, ...]:
    """All contracts below *root* (the folder ``expectations``), sorted by feed.

    Raises:
        ContractError: See `load_contract`; or two of them contradict each other.
    """
    contracts = tuple(load_own_contract(path) for path in sorted(Path(root).glob(f"*/*{SUFFIX}")))
    department_connections(contracts)
    check_shared_workbooks(contracts)
    return contracts


def load_readable(root: Path) -> tuple[tuple[Contract, ...], dict[str, ContractError]]:
    """The contracts below *root* that can be read, and of the feeds of the others why theirs cannot."""
    contracts, errors = [], {}
    for feed in feeds_below(Path(root)):
        try:
            contracts.append(find_contract(root, feed))
        except ContractError as error:
            errors[feed] = error
    return tuple(contracts), errors


def load_documents(root: Path) -> tuple[ContractDocument, ...]:
    """All contracts below *root* as they are written, sorted by feed.

    Raises:
        ContractError: One is not YAML, or is not of the form of a contract.
    """
    paths = sorted(Path(root).glob(f"*/*{SUFFIX}"))
    return tuple(read_document(path, path.read_bytes()) for path in paths)


def feeds_below(root: Path) -> tuple[str, ...]:
    """The feeds that have a contract below *root*, by the names of the files, which are not read."""
    return tuple(f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}" for path in sorted(root.glob(f"*/*{SUFFIX}")))


def unread(root: Path) -> tuple[Path, ...]:
    """Files below *root* that look like contracts and are not read: of another ending, or in no department's folder."""
    root = Path(root)
    read = {path for path in root.glob(f"*/*{SUFFIX}") if path.is_file()}
    found = {path for path in root.rglob("*") if path.is_file() and path.suffix.lower() in {".yaml", ".yml"}}
    return tuple(sorted(path.relative_to(root) for path in found - read))


def find_contract(root: Path, feed: str) -> Contract:
    """The contract of *feed* (``department/name``).

    Raises:
        ContractError: There is none of that name, or see `load_contract`.
    """
    path = Path(root) / f"{feed}{SUFFIX}"
    if feed.count("/") != 1 or not path.is_file():
        raise ContractError(
            "There is no contract for this feed.",
            feed=feed,
            advice=did_you_mean(feed, feeds_below(Path(root)), otherwise="see `threegaps feeds`."),
        )
    return load_own_contract(path)


def load_contract(path: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: It is not YAML, or says something that could not be done: each fault with its path in the file
            and the nearest right name.
    """
    path = Path(path)
    return _contract_in(path.read_bytes(), path.name)


@lru_cache(maxsize=512)
def _contract_in(content: bytes, name: str) -> Contract:
    """The contract in a file *name* of this content, read once: a command asks for all of them several times."""
    written = plain_data(content, name)
    document = _checked(name, written)
    try:
        contract = _contract(document, written, hashlib.sha256(content).hexdigest())
        check_contract(contract)
    except ContractError as error:
        error.file = name
        raise
    return contract


def forget() -> None:
    """Read every contract anew when it is asked for next."""
    _contract_in.cache_clear()


def load_own_contract(path: Path) -> Contract:
    """The contract at *path*, if it is that of the feed whose name the file has.

    Raises:
        ContractError: See `load_contract`; or it says that it is another feed's.
    """
    contract = load_contract(path)
    expected = f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}"
    if contract.feed != expected:
        raise ContractError(
            f"id: is {contract.feed}, and the file is that of {expected}.",
            feed=contract.feed,
            file=path.name,
            advice=f"say `id: {expected}`, or move the file.",
        )
    return contract


def read_document(path: Path, content: bytes) -> ContractDocument:
    """The file of a contract as its models see it.

    Raises:
        ContractError: See `load_contract`.
    """
    return _checked(path.name, plain_data(content, path.name))


def _checked(name: str, written: Any) -> ContractDocument:
    try:
        return ContractDocument.model_validate(written, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = explain(error, keyed_document(written), ContractDocument)
        feed = written.get("id") if isinstance(written, dict) else None
        raise ContractError(
            f"The contract says what cannot be done: {'; '.join(faults)}.",
            feed=str(feed) if feed else None,
            file=name,
            advice="mend the file at these paths; a contract beside it shows the right names.",
        ) from None


def _contract(document: ContractDocument, written: Mapping[str, Any], digest: str) -> Contract:
    department, name = document.id.split("/")
    custom, schema, server = document.custom_properties, document.schema_[0], document.servers[0].custom_properties
    frequency, available, retention = _service_levels(document)
    key = sorted((column.primary_key_position or 0, column.name) for column in schema.properties if column.primary_key)
    columns = tuple(_column(column, custom.file_format) for column in schema.properties)
    rules = tuple(rules_of(document))
    return Contract(
        feed=document.id,
        department=department,
        name=name,
        version=document.version,
        title_zh=custom.title_zh,
        title_en=document.name,
        row_zh=custom.row_zh,
        row_en=schema.description.rstrip("."),
        owner_zh=custom.owner_zh,
        connection_id=server.connection_id,
        pool=server.pool,
        source=server.source,
        file_format=custom.file_format,
        normalisations=custom.normalisations,
        cadence=frequency,
        due_cron=available[0],
        due_day=available[1],
        retention_months=retention,
        first_delivery=_first_delivery(document.id, frequency, custom.delivery.first_delivery),
        delivery_kind=custom.delivery.kind,
        version_column=custom.delivery.version_column,
        withdrawal=custom.delivery.withdrawal,
        watermark=custom.delivery.watermark,
        completeness=custom.delivery.completeness,
        shrinkage=custom.delivery.shrinkage,
        covers_from=custom.delivery.covers_from,
        due_on_day_off=custom.delivery.due_on_day_off,
        grace_minutes=custom.delivery.grace_minutes,
        owed_by_county=custom.delivery.owed_by_county,
        is_summary=custom.is_summary,
        is_published=custom.is_published,
        statutory_mark=custom.statutory_mark,
        source_platform=custom.platform,
        touch=custom.touch,
        key=tuple(column for _, column in key),
        columns=columns,
        rules=tuple(rule for rule in rules if rule.kind.scope != "batch"),
        batch_rules=tuple(rule for rule in rules if rule.kind.scope == "batch"),
        partition_column=next((column.name for column in schema.properties if column.partitioned), None),
        table=schema.physical_name,
        hash=digest,
        by_name={column.name: column for column in columns},
        written=written,
    )


def _service_levels(document: ContractDocument) -> tuple[Cadence, tuple[str, str], int]:
    """Cadence, due day (cron and words) and retention in months."""
    frequency = document.service_level("frequency")
    available = document.service_level("timeOfAvailability")
    retention = document.service_level("retention")
    if frequency is None or frequency.value != 1 or frequency.unit not in CADENCES:
        raise _sla(document, "frequency", f"{{property: frequency, value: 1, unit: one of {', '.join(CADENCES)}}}")
    if available is None or not available.schedule or available.scheduler != "cron":
        raise _sla(
            document, "timeOfAvailability", "{property: timeOfAvailability, value: words, scheduler: cron, schedule: …}"
        )
    if retention is None or not isinstance(retention.value, int) or retention.unit != "month" or retention.value < 1:
        raise _sla(document, "retention", "{property: retention, value: 24, unit: month}")
    return frequency.unit, (available.schedule, str(available.value)), retention.value


def _sla(document: ContractDocument, name: str, form: str) -> ContractError:
    return ContractError(
        f"slaProperties/{name}: is missing or not of the form {form}.",
        feed=document.id,
        advice="see the contract of another feed.",
    )


def _first_delivery(feed: str, cadence: Cadence, key: str) -> str:
    try:
        return Delivery.parse(cadence, key).key
    except SettingsError as error:
        raise ContractError(
            f"customProperties/delivery/firstDelivery: {error.message}", feed=feed, advice=error.advice
        ) from None


def _column(column: Property, file_format: FileFormat) -> Column:
    custom = column.custom_properties
    written = custom.headers or next(
        (layout.headers[column.name] for layout in layouts_of(file_format) if column.name in layout.headers), ()
    )
    return Column(
        name=column.name,
        headers=tuple(header_of(header) for header in written),
        logical_type=column.logical_type,
        sql_type=column.physical_type,
        required=column.required,
        grade=column.classification,
        description_zh=column.business_name,
        description_en=column.description,
        is_stored=custom.stored,
        code_list=tuple(Code(code, labels[0], labels[1]) for code, labels in custom.code_list.items()),
        origin=custom.origin,
        note_zh=custom.note_zh or "",
        physical_name=column.physical_name,
    )
