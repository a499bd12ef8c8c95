"""Time goes on: step by step or at once, by the dice, and never back."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import time
import zlib
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import psycopg
import pytest

from sandbox import clock, database
from sandbox.advance import advance
from sandbox.calendar import HORIZON, OPENING_DAY
from sandbox.deliveries import set_time
from sandbox.generate import run
from sandbox.parameters import Parameters
from sandbox.servers import http_gateway
from sandbox.servers.faults import Faults

SMALL = Parameters(scale=0.00005, dirt=0.05, rows_per_part=1_000, truth=False)
SHANGHAI = timezone(timedelta(hours=8))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox on its opening day; for copies only."""
    home = tmp_path_factory.mktemp("original")
    run(home, SMALL)
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Path:
    """A sandbox of the test's own."""
    return shutil.copytree(original, tmp_path / "sandbox")


def seen(home: Path) -> dict[str, tuple[str, float]]:
    """Digest and time of every file that a reader can get (Excel files carry their time of writing inside)."""
    files = [path for name in ("sftp", "drop") for path in sorted((home / name).rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(home)): (
            "" if path.suffix == ".xlsx" else hashlib.sha256(path.read_bytes()).hexdigest(),
            0.0 if path.suffix == ".txt" else path.stat().st_mtime,
        )
        for path in files
    }


def plan(home: Path) -> list[dict[str, object]]:
    return list(json.loads((home / "deliveries.json").read_text("ascii")))


def test_step_by_step_is_the_same_as_at_once(original: Path, home: Path, tmp_path: Path) -> None:
    one, other = home, shutil.copytree(original, tmp_path / "other")
    before = seen(one)
    assert seen(other) == before
    for day in (date(2026, 7, 15), date(2026, 7, 31), date(2026, 8, 4), date(2026, 10, 2), date(2026, 10, 10)):
        advance(one, day)
    told = advance(other, date(2026, 10, 10))
    assert seen(one) == seen(other)
    assert len(seen(one)) > len(before)
    for name in ("counts.parquet", "bad_rows.parquet"):
        assert pl.read_parquet(one / "truth" / name).equals(pl.read_parquet(other / "truth" / name))
    assert {entry["came"] for entry in told} == {"right", "wrong", "not"}
    days = [str(entry["day"]) for entry in told]
    assert days == sorted(days)


def test_files_carry_the_day_on_which_they_came(original: Path) -> None:
    at = {
        path.name: datetime.fromtimestamp(path.stat().st_mtime, SHANGHAI)
        for path in (original / "sftp" / "wage_records" / "202410").iterdir()
    }
    assert {moment.date() for moment in at.values()} == {date(2024, 10, 31)}
    parts = [moment for name, moment in at.items() if "part" in name]
    assert at["wage_202410.ok"] > max(parts)


def test_no_file_is_of_a_day_that_has_not_come(tmp_path: Path) -> None:
    """By the machine's clock: what is of the future would never have been quiet."""
    files = [tmp_path / str(number) for number in range(3)]
    for number, path in enumerate(files):
        path.touch()
        set_time(path, date(2199, 1, 1), number)
    times = [path.stat().st_mtime for path in files]
    assert times == sorted(times)
    assert times[-1] < time.time() - 23 * 3600


def test_dice_decide_what_comes(home: Path) -> None:
    troubled = [entry for entry in plan(home) if entry["fate"] != "on time" and entry["due"] == "2026-07-31"]
    assert {"late", "spoilt", "corrected"} <= {str(entry["fate"]) for entry in troubled}

    def paths(entry: dict[str, object]) -> list[Path]:
        if entry["feed"] == "hrss/wage_records":
            pattern = "*correction*" if entry["part"] else "*part*"
            return sorted((home / "sftp" / "wage_records" / "202607").glob(pattern))
        if entry["feed"] == "sectors/training_enrollments":
            return sorted((home / "sftp" / "sector_training" / "202607").glob(f"{entry['part']}_*"))
        name = str(entry["feed"]).split("/")[1]
        return sorted((home / "sftp").rglob(f"{name}_202607*"))

    advance(home, date(2026, 7, 31))
    first = {str(entry["fate"]): [path.read_bytes() for path in paths(entry)] for entry in troubled}
    assert first["late"] == []
    advance(home, date(2026, 8, 20))
    later = {str(entry["fate"]): [path.read_bytes() for path in paths(entry)] for entry in troubled}
    assert later["late"]
    assert later["spoilt"][0].startswith(first["spoilt"][0][:200])
    assert len(first["spoilt"][0]) < 0.7 * len(later["spoilt"][0])
    if later["spoilt"][0][:2] == b"\x1f\x8b":
        with pytest.raises((EOFError, zlib.error)):
            gzip.decompress(first["spoilt"][0])
    assert len(b"".join(first["corrected"])) < len(b"".join(later["corrected"]))


def test_what_never_comes_is_told_at_its_day(home: Path) -> None:
    never = next(entry for entry in plan(home) if entry["fate"] == "never")
    told = advance(home, HORIZON)
    mine = [entry for entry in told if all(entry[key] == never[key] for key in ("feed", "delivery", "part"))]
    assert [(entry["day"], entry["came"]) for entry in mine] == [(never["due"], "not")]


def test_time_does_not_go_back_nor_beyond_the_horizon(home: Path) -> None:
    advance(home, date(2026, 7, 2))
    stands = clock.today(home)
    with pytest.raises(ValueError, match="already"):
        advance(home, OPENING_DAY)
    with pytest.raises(ValueError, match="made up to"):
        advance(home, date(2027, 1, 1))
    assert clock.today(home) == stands
    assert advance(home, stands) == []


def test_gateway_and_database_follow_the_clock(home: Path, empty_database: str) -> None:
    gateway = http_gateway.Gateway(home, Faults())
    held = gateway._held["hrss.training_enrollments"]
    window: dict[str, object] = {"updatedFrom": "2026-07-01 00:00:00", "updatedTo": "2027-01-01 00:00:00"}
    assert gateway._rows(held, window).is_empty()
    early = database.load(home, empty_database, "hrss")
    advance(home, date(2026, 9, 30))
    fresh = gateway._rows(held, window)["updatedAt"]
    assert len(fresh) > 0
    assert str(fresh.max()) <= "2026-09-30 23:59:59"
    later = database.load(home, empty_database, "hrss")
    # A list that changes by the term may stand as it was.
    assert all(later[table] >= early[table] for table in early)
    assert later["dy13"] > early["dy13"]
    with psycopg.connect(empty_database) as connection:
        newest = connection.execute("SELECT max(aae036) FROM public.dy13").fetchone()
    assert newest is not None
    assert datetime(2026, 7, 1) < newest[0] < datetime(2026, 10, 1)  # noqa: DTZ001  # Shanghai wall clock
