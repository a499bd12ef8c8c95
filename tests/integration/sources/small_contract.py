"""A small feed of a test's own, whose source and delivery it chooses: the whole way from its contract to its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FEED = "test/rows"
_PROJECT = Path(__file__).parents[3]
CHANGES: dict[str, Any] = {
    "kind": "changes",
    "firstDelivery": "2026-05",
    "versionColumn": "updated_at",
    "watermark": {"column": "updated_at", "start": "2026-01-01 00:00:00", "overlapSeconds": 0},
    "completeness": {"kind": "window"},
}
FULL_LIST: dict[str, Any] = {
    "kind": "full_list",
    "firstDelivery": "2026-05",
    "completeness": {"kind": "whole_read"},
}
PAGES: dict[str, Any] = {"kind": "page", "pageParameter": "page", "sizeParameter": "size", "pageSize": 50}
JSON: dict[str, Any] = {"kind": "json_pages", "encoding": "utf-8", "rows": ["data", "rows"]}
CSV: dict[str, Any] = {"kind": "csv", "encoding": "utf-8", "quotedNewlines": True}


def http_source(*, is_window: bool = True, **differing: Any) -> dict[str, Any]:
    """A paged source whose answers say the total, but for what differs; None takes a key out."""
    source: dict[str, Any] = {
        "protocol": "http",
        "path": "/interface/gateway.do",
        "interface": "test.rows.getdata",
        "pager": PAGES,
        "total": {"path": ["data", "total"]},
    }
    if is_window:
        source["window"] = {"fromParameter": "from", "toParameter": "to"}
    source |= differing
    return {key: value for key, value in source.items() if value is not None}


def write(root: Path, source: dict[str, Any], delivery: dict[str, Any], file_format: dict[str, Any]) -> None:
    """Write the contract below *root*, a project's folder that is this one's but for its contracts."""
    (root / "expectations" / "test").mkdir(parents=True, exist_ok=True)
    if not (root / "dbt_project").exists():
        (root / "dbt_project").symlink_to(_PROJECT / "dbt_project")
    contract = document(source, delivery, file_format)
    path = root / "expectations" / "test" / "rows.odcs.yaml"
    path.write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False), encoding="utf-8")


def document(source: dict[str, Any], delivery: dict[str, Any], file_format: dict[str, Any]) -> dict[str, Any]:
    """The contract as it is written."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": FEED,
        "name": "Rows of tests",
        "version": "1.0.0",
        "status": "active",
        "domain": "training",
        "description": {"purpose": "Tests.", "limitations": "Made up."},
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "month"},
            {"property": "timeOfAvailability", "value": "day 5", "scheduler": "cron", "schedule": "0 8 5 * *"},
            {"property": "retention", "value": 24, "unit": "month"},
        ],
        "servers": [
            {
                "server": "department",
                "type": "custom",
                "customProperties": [
                    {"property": "connectionId", "value": "test_rows"},
                    {"property": "pool", "value": "department_test"},
                    {"property": "source", "value": source},
                ],
            }
        ],
        "customProperties": [
            *({"property": name, "value": value} for name, value in _REQUIRED.items()),
            {"property": "delivery", "value": delivery},
            {"property": "fileFormat", "value": file_format},
            {"property": "touch", "value": {"countyColumns": ["county_code"], "fromColumns": ["day"]}},
        ],
        "schema": [
            {
                "name": "rows",
                "physicalName": "test_rows",
                "physicalType": "table",
                "businessName": "行",
                "description": "Rows",
                "properties": [
                    _column("row_id", "id", "string", "text", primaryKey=True, primaryKeyPosition=1),
                    _column("county_code", "county", "string", "text"),
                    _column("day", "day", "date", "date"),
                    _column("updated_at", "updated", "timestamp", "timestamptz"),
                ],
            }
        ],
    }


_REQUIRED: dict[str, Any] = {
    "titleZh": "测试行",
    "rowZh": "一条记录一行",
    "ownerZh": "测试部门",
    "legalBasis": ["《浙江省公共数据条例》"],
    "sharing": {"kind": "unconditional", "isOpen": False},
}


def _column(name: str, header: str, logical_type: str, physical_type: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "businessName": header,
        "description": name,
        "logicalType": logical_type,
        "physicalType": physical_type,
        "classification": "L1",
        "required": True,
        "customProperties": [{"property": "headers", "value": [header]}],
        **more,
    }
