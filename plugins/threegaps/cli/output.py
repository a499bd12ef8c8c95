"""How commands answer: tables for people, JSON for machines, one clear message when something is wrong."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

# Where nobody looks at a terminal, lines may be long.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


def plain(value: Any) -> Any:
    """*value* as JSON can say it: dates ISO, decimals as numbers."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=1, default=str) + "\n")


def print_rows(rows: Iterable[Mapping[str, Any]], *, columns: Sequence[str] | None = None, title: str = "") -> None:
    """A table of *rows*; numbers to the right."""
    rows = list(rows)
    if not rows:
        console.print(f"{title}: none" if title else "none", markup=False)
        return
    names = list(columns or dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in names:
        is_number = all(isinstance(row.get(name), int | float | decimal.Decimal | None) for row in rows)
        is_first = name == names[0]
        table.add_column(
            name.replace("_", " "), justify="right" if is_number else "left", overflow="fold", no_wrap=is_first
        )
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in names))
    console.print(table)


def cell(value: Any) -> str:
    """*value* as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, decimal.Decimal | float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value).replace("[", "\\[")


def answer(rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "") -> None:
    """Rows as JSON or as a table."""
    if as_json:
        print_json(list(rows))
    else:
        print_rows(rows, title=title)
