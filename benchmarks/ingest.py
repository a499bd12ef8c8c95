"""How fast a month of wages is checked and loaded, against a bare ``psql \\copy`` of the same rows.

Both load the same typed table with the same primary key on the same embedded PostgreSQL, round by round in turn, so
that what else the machine does meets both. The checked path decodes, normalises, judges every rule, pseudonymises,
writes accepted and refused rows, and certifies with Great Expectations before it commits.

Run ``python -m benchmarks.ingest`` (or ``make bench``); ``--help`` lists sizes and rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.wages import as_delivered, write_month
from threegaps.batch.areas import codes_in_force
from threegaps.batch.certify import Certifier
from threegaps.batch.judge import QUARANTINE_COLUMNS, JudgedBlock, Judgement, Part
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import raw_columns, raw_key
from threegaps.services.postgres import temporary_server
from threegaps.settings import Settings
from threegaps.warehouse.prefetch import prefetched

FEED = "hrss/wage_records"
_MEGABYTE = 1024 * 1024


def _create(connection: psycopg.Connection, contract: Contract, name: str) -> None:
    """A typed, keyed table as the warehouse has it, and a quarantine beside it."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.sql_type),  # type: ignore[arg-type]
            sql.SQL("" if column.nullable else " not null"),
        )
        for column in raw_columns(contract)
    )
    key = sql.SQL(", ").join(map(sql.Identifier, raw_key(contract)))
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("create table {} ({}, primary key ({}))").format(sql.Identifier(name), columns, key))
    connection.execute("drop table if exists refused")
    connection.execute(
        "create table refused (row_token text, batch_id bigint, feed text, delivery text, landed_object_id bigint,"
        " row_number integer, county_code text, row_data jsonb, reasons jsonb, primary key (row_token, batch_id))"
    )


def _judgement(contract: Contract, path: Path) -> Judgement:
    part = Part(1, path.name, lambda: path.open("rb"))
    key = PseudonymKey(b"a key for the benchmark only, 32 bytes", "1")
    return Judgement(contract, [part], batch_id=1, delivery="2025-06", key=key)


def _checked(dsn: str, contract: Contract, path: Path) -> float:
    """Seconds of the checked path, from bytes to the commit."""
    with psycopg.connect(dsn) as connection:
        _create(connection, contract, "wages")
        connection.commit()
        start = time.perf_counter()
        judgement = _judgement(contract, path)
        with connection.cursor() as cursor, tempfile.TemporaryFile() as refused:
            with cursor.copy("copy wages from stdin (format csv)") as copy:
                for block in prefetched(judgement.blocks()):
                    _write(copy, block.accepted)
                    refused.write(block.refused)
            names = ", ".join(QUARANTINE_COLUMNS)
            with cursor.copy(f"copy refused ({names}) from stdin (format csv)".encode()) as copy:
                refused.seek(0)
                while lines := refused.read(_MEGABYTE):
                    copy.write(lines)
        verdict = judgement.finish()
        connection.commit()
        seconds = time.perf_counter() - start
    counts = verdict.counts
    assert counts.received == counts.accepted + counts.refused + counts.duplicates  # noqa: S101
    return seconds


def _write(copy: psycopg.Copy, lines: bytes) -> None:
    for start in range(0, len(lines), _MEGABYTE):
        copy.write(memoryview(lines)[start : start + _MEGABYTE])


def _bare(psql: Path, dsn: str, contract: Contract, rows: Path) -> float:
    """Seconds of a bare psql \\copy of the accepted rows."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        _create(connection, contract, "wages")
    start = time.perf_counter()
    subprocess.run(
        [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", f"\\copy wages from '{rows}' (format csv)"],
        check=True,
    )
    return time.perf_counter() - start


def _write_accepted(contract: Contract, path: Path, target: Path) -> None:
    blocks: Iterator[JudgedBlock] = _judgement(contract, path).blocks()
    with target.open("wb") as file:
        for block in blocks:
            file.write(block.accepted)


def _contract(encoding: str) -> Contract:
    contract = find_contract(Settings.load().contracts_folder, FEED)
    if encoding == "gb18030":
        return contract
    return dataclasses.replace(
        contract, file_format={**contract.file_format, "encoding": "utf-8", "compression": "none"}
    )


def _own_peak_mb() -> int:
    """This process's peak since it was started: getrusage counts the parent's from before the start, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _peak(dsn: str, path: Path) -> int:
    """Peak memory in MB of one process that takes *path* through the checked path."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "--one", dsn, str(path)], capture_output=True, text=True, check=True
    )
    return int(json.loads(answer.stdout)["peak_mb"])


def _measure(rows: int, rounds: int, folder: Path) -> None:
    plain, utf8 = folder / "wages.csv", _contract("utf-8")
    delivered, accepted = folder / "wages.csv.gz", folder / "accepted.csv"
    counties = sorted(codes_in_force())
    write_month(plain, rows, counties)
    as_delivered(plain, delivered)
    third = folder / "third.csv"
    write_month(third, rows // 3, counties)
    Certifier.prepare()
    with temporary_server() as server:
        dsn = server.dsn()
        psql = server.binaries() / "psql"
        _write_accepted(utf8, plain, accepted)
        size = plain.stat().st_size
        print(f"{rows:,} rows of {FEED}, {size / 1e6:.0f} MB as plain UTF-8, {rounds} rounds in turn")
        bare, checked, packed = [], [], []
        for number in range(rounds):
            bare.append(_bare(psql, dsn, utf8, accepted))
            checked.append(_checked(dsn, utf8, plain))
            packed.append(_checked(dsn, _contract("gb18030"), delivered))
            times = f"\\copy {bare[-1]:.2f} s, checked {checked[-1]:.2f} s, as delivered {packed[-1]:.2f} s"
            print(f"  round {number + 1}: {times}", flush=True)
        ratios = {
            "plain UTF-8": statistics.median(one / other for one, other in zip(bare, checked, strict=True)),
            "gzip, GB18030": statistics.median(one / other for one, other in zip(bare, packed, strict=True)),
        }
        print(f"bare \\copy: {rows / statistics.median(bare):,.0f} rows/s")
        for name, ratio in ratios.items():
            print(f"checked, {name}: {ratio:.2f} x bare \\copy (median)")
        peaks = f"{_peak(dsn, third)} MB at {rows // 3:,} rows, {_peak(dsn, plain)} MB at {rows:,} rows"
        print(f"peak memory of the checking process: {peaks}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("DSN", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        dsn, path = arguments.one
        _checked(dsn, _contract("gb18030" if gzip_magic(Path(path)) else "utf-8"), Path(path))
        print(json.dumps({"peak_mb": _own_peak_mb()}))
        return
    with tempfile.TemporaryDirectory(prefix="threegaps-bench-") as folder:
        Path(folder).chmod(0o755)
        _measure(arguments.rows, arguments.rounds, Path(folder))


def gzip_magic(path: Path) -> bool:
    """Whether a file is gzip by its first two bytes."""
    with path.open("rb") as file:
        return file.read(2) == gzip.compress(b"")[:2]


if __name__ == "__main__":
    main()
