"""Three small contracts, one a kind of delivery, whose rows say a number of a key.

Limits are low, so that a few rows are enough for a delivery to look emptied.
"""

from __future__ import annotations

from pathlib import Path

from threegaps.contracts.loader import load_contract
from threegaps.contracts.model import Contract

PERIODS, LISTS, CHANGES = "test/periods", "test/lists", "test/changes"
LEAST_SHARE, FROM_ROWS = 0.5, 3

_HEAD = """
apiVersion: v3.1.0
kind: DataContract
id: {feed}
name: A feed for tests
version: 1.0.0
status: active
domain: test
description: {{purpose: "Rows that say a number of a key.", limitations: "Invented."}}
slaProperties:
  - {{property: frequency, value: 1, unit: {unit}}}
  - {{property: timeOfAvailability, value: "soon", scheduler: cron, schedule: "0 6 * * *"}}
  - {{property: retention, value: 24, unit: month}}
servers:
  - server: department
    type: custom
    customProperties:
      - {{property: connectionId, value: "test_source"}}
      - {{property: pool, value: "department_test"}}
      - property: source
        value: {source}
customProperties:
  - {{property: titleZh, value: "测试"}}
  - {{property: rowZh, value: "一条记录一个键"}}
  - {{property: ownerZh, value: "测试"}}
  - property: delivery
    value: {delivery}
  - property: fileFormat
    value: {{kind: csv, encoding: utf-8}}
  - property: normalisations
    value:
      - {{kind: missing_words}}
  - property: touch
    value: {{countyColumns: [county], fromColumns: [month]}}
schema:
  - name: {name}
    physicalName: test_{name}
    physicalType: table
    businessName: "测试"
    description: "Rows that say a number of a key."
    properties:
"""
_COLUMN = """
      - name: {name}
        businessName: "{name}列"
        description: "The {name}"
        logicalType: {logical}
        physicalType: {physical}
        classification: L1
        required: true
        customProperties:
          - {{property: headers, value: ["{name}"]}}{more}
"""
_SFTP = (
    '{protocol: sftp, folder: "/test/{delivery}", files: {part: "part(?P<part>[0-9]+)", control: "{delivery}.ok",'
    ' correction: "correction(?P<part>[0-9]+)"}}'
)
_SHRINKAGE = f"shrinkage: {{leastShare: {LEAST_SHARE}, fromRows: {FROM_ROWS}}}"
_COLUMNS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    PERIODS: (
        ("key", "string", "text", "key"),
        ("month", "date", "date", "key partition"),
        ("county", "string", "text", ""),
        ("number", "integer", "integer", ""),
        ("correction", "integer", "integer", ""),
        ("operation", "string", "text", ""),
    ),
    LISTS: (
        ("key", "string", "text", "key"),
        ("month", "date", "date", ""),
        ("county", "string", "text", ""),
        ("number", "integer", "integer", ""),
    ),
    CHANGES: (
        ("key", "string", "text", "key"),
        ("month", "date", "date", ""),
        ("county", "string", "text", ""),
        ("number", "integer", "integer", ""),
        ("updated_at", "timestamp", "timestamptz", ""),
        ("operation", "string", "text", ""),
    ),
}
_DELIVERY = {
    PERIODS: (
        'kind: full_period, firstDelivery: "2026-01", versionColumn: correction,'
        f' withdrawal: {{column: operation, value: "0"}}, completeness: {{kind: control_file}}, {_SHRINKAGE}'
    ),
    LISTS: f'kind: full_list, firstDelivery: "2026Q1", completeness: {{kind: file}}, {_SHRINKAGE}',
    CHANGES: (
        'kind: changes, firstDelivery: "2026-01-01", versionColumn: updated_at,'
        ' withdrawal: {column: operation, value: "0"}, completeness: {kind: window},'
        ' watermark: {column: updated_at, start: "2026-01-01 00:00:00", overlapSeconds: 3600}'
    ),
}
_SOURCE = {
    PERIODS: _SFTP,
    LISTS: '{protocol: file_drop, files: {part: "{delivery}"}}',
    CHANGES: '{protocol: database, schemaName: "public", table: "test"}',
}
_UNIT = {PERIODS: "month", LISTS: "quarter", CHANGES: "day"}


def write_contracts(root: Path) -> dict[str, Contract]:
    """Write the contracts below *root* as a checkout has them; what they say, by feed."""
    folder = root / "expectations" / "test"
    folder.mkdir(parents=True)
    contracts = {}
    for feed, columns in _COLUMNS.items():
        name = feed.partition("/")[2]
        text = _HEAD.format(
            feed=feed, name=name, unit=_UNIT[feed], source=_SOURCE[feed], delivery=f"{{{_DELIVERY[feed]}}}"
        )
        for column, logical, physical, use in columns:
            more = ""
            if "key" in use:
                position = 1 if column == "key" else 2
                more += f"\n        primaryKey: true\n        primaryKeyPosition: {position}"
            if "partition" in use:
                more += "\n        partitioned: true\n        partitionKeyPosition: 1"
            text += _COLUMN.format(name=column, logical=logical, physical=physical, more=more)
        path = folder / f"{name}.odcs.yaml"
        path.write_text(text, encoding="utf-8")
        contracts[feed] = load_contract(path)
    return contracts


def header(feed: str) -> list[str]:
    """The columns of a feed's files, in order."""
    return [name for name, *_ in _COLUMNS[feed]]
