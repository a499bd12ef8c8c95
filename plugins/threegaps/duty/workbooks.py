"""Files of refused rows, made while somebody waits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
from fastapi import Response

from threegaps.contracts.model import Contract
from threegaps.settings import Settings
from threegaps.warehouse import quarantine

MOST_ROWS = 5_000
"""It is made within Airflow's own server; `threegaps quarantine export` makes larger ones."""
_MEDIA = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
}
FORMS = frozenset(ending[1:] for ending in _MEDIA)
_LONGEST_NAME = 120


def write_refused(
    connection: psycopg.Connection[Any],
    settings: Settings,
    contract: Contract,
    folder: Path,
    *,
    delivery: str | None = None,
    rule: str | None = None,
    county: str | None = None,
    form: str = "xlsx",
) -> tuple[Path, list[tuple[str, int]]]:
    """Write the feed's open refused rows into *folder*: the file, and token and batch of each row.

    Args:
        connection: The warehouse.
        settings: Whether the rows are of the sandbox.
        contract: The feed's contract.
        folder: Where to.
        delivery: Only rows of this delivery.
        rule: Only rows that broke this rule.
        county: Only rows of this county.
        form: ``xlsx`` or ``csv``.

    Raises:
        SettingsError: There are more than `MOST_ROWS`.
    """
    named = "_".join(part for part in (contract.feed.replace("/", "_"), delivery, rule, county) if part)
    # What was chosen is named in letters that any system takes.
    path = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '-', named)[:_LONGEST_NAME]}.{form}"
    rows = quarantine.export(
        connection,
        contract,
        path,
        delivery=delivery,
        rule=rule,
        county_code=county,
        is_synthetic=settings.is_sandbox,
        most_rows=MOST_ROWS,
    )
    return path, rows


def attached(path: Path, **headers: str) -> Response:
    """A file as an answer that a browser saves under the file's own name.

    Args:
        path: The file, whose name is of plain letters.
        headers: Of the answer.
    """
    disposition = f'attachment; filename="{path.name}"'
    return Response(
        path.read_bytes(), media_type=_MEDIA[path.suffix], headers={"Content-Disposition": disposition, **headers}
    )
