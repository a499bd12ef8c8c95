"""Folders of a department, on a server or in a drop, and what a test puts into them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.odd_sftp import PASSWORD, OddServer, serving
from tests.integration.sources.small_contract import CSV

LONG_AGO = dt.datetime(2026, 7, 1, tzinfo=dt.UTC).timestamp()
SINGLE: dict[str, Any] = {
    "kind": "full_period",
    "firstDelivery": "2026-05",
    "completeness": {"kind": "file", "quietSeconds": 30},
}
CONTROLLED: dict[str, Any] = {**SINGLE, "completeness": {"kind": "control_file"}}
PARTS: dict[str, Any] = {**SINGLE, "completeness": {"kind": "quiet", "parts": ["housing", "health", "post"]}}
NAMES: dict[str, Any] = {
    "part": r"rows_{yyyymm}_part(?P<part>\d+)of(?P<parts>\d+)\.csv",
    "correction": r"rows_{yyyymm}_correction(?P<part>\d+)\.csv",
    "control": "rows_{yyyymm}.ok",
}


def table(count: int, first: int = 1, month: str = "2026-06") -> bytes:
    lines = [f"{one:08d},330106,{month}-01,{month}-02 10:00:00\n" for one in range(first, first + count)]
    return "".join(["id,county,day,updated\n", *lines]).encode()


def put(path: Path, content: bytes, *, at: float = LONG_AGO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))


def put_name(folder: Path, name: bytes, content: bytes = b"?") -> None:
    put(folder / os.fsdecode(name), content)


def at(feed: SmallFeed, server: OddServer, **extra: Any) -> None:
    whole = extra or {"no_host_key_check": True, "look_for_keys": False}
    feed.connect(
        conn_type="sftp", host="127.0.0.1", port=server.port, login="department", password=PASSWORD, extra=whole
    )


def send(root: Path, month: str, parts: int = 1, rows: int = 6, *, control: bytes | None = None) -> Path:
    folder = root / "rows" / month
    for part in range(1, parts + 1):
        content = table(rows // parts, 1 + (part - 1) * (rows // parts), f"{month[:4]}-{month[4:]}")
        put(folder / f"rows_{month}_part{part:02d}of{parts:02d}.csv", content)
    put(folder / f"rows_{month}.ok", control or f"parts={parts} rows={rows}\n".encode())
    return folder


def dropped(feed: SmallFeed, part: str, delivery: dict[str, Any], **more: Any) -> None:
    feed.comes_by({"protocol": "file_drop", "files": {"part": part}, **more}, delivery, CSV)


@contextmanager
def months_on_server(feed: SmallFeed, root: Path) -> Iterator[OddServer]:
    """An SFTP server with a folder for each month; the small feed comes from it with a control file."""
    (root / "rows").mkdir(parents=True)
    feed.comes_by({"protocol": "sftp", "folder": "/rows/{yyyymm}", "files": NAMES}, CONTROLLED, CSV)
    with serving(OddServer(root)) as server:
        at(feed, server)
        yield server


def months_in_drop(feed: SmallFeed, root: Path) -> Path:
    """A drop folder below *root* with one file a month for the small feed."""
    folder = root / "test"
    folder.mkdir(parents=True)
    dropped(feed, r"rows_{delivery}\.csv", SINGLE)
    feed.connect(conn_type="fs", extra={"path": str(root)})
    return folder
