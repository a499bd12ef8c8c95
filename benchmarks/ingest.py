"""How fast a month of wages is checked and loaded, against a bare ``psql \\copy`` of the same rows.

Both load the warehouse's own table of the feed (typed, with its primary key, partitioned by month as the contract
says) in a fresh database on the same embedded PostgreSQL, round by round in turn, so that what else the machine does
meets both. The checked path is the product's own load: it decodes, normalises, judges every rule, pseudonymises,
writes accepted and refused rows, certifies with Great Expectations, and keeps the ledger, all in one commit.

Run ``python -m benchmarks.ingest`` (or ``make bench``); ``--help`` lists sizes and rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.wages import as_delivered, write_month
from threegaps.access.server import make_roles
from threegaps.batch.certify import Certifier
from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import accepted_columns
from threegaps.ledger import batches
from threegaps.ledger.landed import LandedObject, record_landed_object
from threegaps.ledger.migrate import upgrade
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role
from threegaps.one_machine.temporary import temporary_server
from threegaps.settings import Settings
from threegaps.standards.areas import codes_in_force
from threegaps.warehouse.load import Plan, load_batch
from threegaps.warehouse.tables import ensure_partitions, ensure_tables, usual_months

FEED = "hrss/wage_records"
DELIVERY = Delivery.parse("month", "2025-06")
KEY = PseudonymKey(b"a key for the benchmark only, 32 bytes", "1")
_TEMPLATE, _DATABASE = "benchmark_template", "benchmark"
_OBJECT_ID = 1


def _prepare(server: PostgresServer, contract: Contract) -> None:
    """A migrated warehouse with the feed's empty tables, which each load starts from a copy of."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        ensure_role(connection, "pipeline")
        make_roles(connection)
        ensure_database(connection, _TEMPLATE, owner="pipeline")
    upgrade(server.dsn(_TEMPLATE))
    with psycopg.connect(server.dsn(_TEMPLATE), autocommit=True) as connection:
        ensure_tables(connection, contract)
        ensure_partitions(connection, contract, usual_months(DELIVERY))


def _fresh(server: PostgresServer) -> str:
    """Connection string of a warehouse without rows."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database if exists {_DATABASE}")
        connection.execute(f"create database {_DATABASE} template {_TEMPLATE}")
        connection.execute("checkpoint")
    return server.dsn(_DATABASE)


def _judgement(contract: Contract, path: Path, batch_id: int = 1) -> Judgement:
    part = Part(_OBJECT_ID, path.name, lambda: path.open("rb"))
    return Judgement(contract, [part], batch_id=batch_id, delivery=DELIVERY.key, key=KEY)


def _checked(dsn: str, contract: Contract, path: Path) -> float:
    """Seconds of the product's load, from bytes to the commit."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        landed = LandedObject(
            landed_object_id=_OBJECT_ID,
            feed=FEED,
            delivery=DELIVERY.key,
            part="01",
            arrival_number=1,
            source_name=path.name,
            uri=path.as_uri(),
            size_bytes=path.stat().st_size,
            sha256="0" * 64,
            is_correction=False,
            fetched_at=dt.datetime.now(tz=dt.UTC),
            source_modified_at=None,
            watermark_from=None,
            watermark_to=None,
            copies_ended_at=None,
        )
        record_landed_object(connection, landed)
        start = time.perf_counter()
        batch_id = batches.begin_batch(
            connection,
            feed=FEED,
            delivery=DELIVERY,
            landed_object_ids=[_OBJECT_ID],
            is_whole=True,
            contract_hash=contract.hash,
            code_version="benchmark",
            pseudonym_key_version=KEY.version,
        )
        plan = Plan(
            contract=contract,
            delivery=DELIVERY,
            batch_id=batch_id,
            judge=lambda: _judgement(contract, path, batch_id),
            is_whole=True,
            is_complete=lambda _: True,
        )
        counts = load_batch(connection, plan).verdict.counts
        seconds = time.perf_counter() - start
        for table, rows in ((f"raw.{contract.table}", counts.accepted), ("quarantine.refused_row", counts.refused)):
            found = connection.execute(sql.SQL("select count(*) from {}").format(sql.SQL(table))).fetchone()
            assert found == (rows,)  # noqa: S101
    return seconds


def _bare(psql: Path, dsn: str, contract: Contract, rows: Path) -> float:
    """Seconds of a bare psql \\copy of the accepted rows into the same table."""
    columns = ", ".join(accepted_columns(contract))
    command = f"\\copy raw.{contract.table} ({columns}) from '{rows}' (format csv)"
    start = time.perf_counter()
    subprocess.run([str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", command], check=True)
    return time.perf_counter() - start


def _write_accepted(contract: Contract, path: Path, target: Path) -> None:
    with target.open("wb") as file:
        for block in _judgement(contract, path).blocks():
            file.write(block.accepted)


def _contract(encoding: str) -> Contract:
    contract = find_contract(Settings.load().contracts_folder, FEED)
    if encoding == "gb18030":
        return contract
    return dataclasses.replace(
        contract, file_format=contract.file_format.model_copy(update={"encoding": "utf-8", "compression": "none"})
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
    sizes = {rows // 3: folder / "third.csv", rows: plain, 3 * rows: folder / "triple.csv"}
    for size, path in sizes.items():
        if size != rows:
            write_month(path, size, counties)
    Certifier.prepare()
    with temporary_server() as server:
        _prepare(server, utf8)
        psql = server.binaries() / "psql"
        _write_accepted(utf8, plain, accepted)
        megabytes = plain.stat().st_size / 1e6
        print(f"{rows:,} rows of {FEED}, {megabytes:.0f} MB as plain UTF-8, {rounds} rounds in turn", flush=True)
        bare, checked, packed = [], [], []
        for number in range(rounds):
            bare.append(_bare(psql, _fresh(server), utf8, accepted))
            checked.append(_checked(_fresh(server), utf8, plain))
            packed.append(_checked(_fresh(server), _contract("gb18030"), delivered))
            times = f"\\copy {bare[-1]:.2f} s, checked {checked[-1]:.2f} s, as delivered {packed[-1]:.2f} s"
            print(f"  round {number + 1}: {times}; load average {os.getloadavg()[0]:.1f}", flush=True)
        ratios = {
            "plain UTF-8": [one / other for one, other in zip(bare, checked, strict=True)],
            "gzip, GB18030": [one / other for one, other in zip(bare, packed, strict=True)],
        }
        print(f"bare \\copy: {rows / statistics.median(bare):,.0f} rows/s")
        for name, each in ratios.items():
            spread = f"{min(each):.2f} to {max(each):.2f}"
            print(f"checked, {name}: {statistics.median(each):.2f} x bare \\copy (median; {spread})")
        peaks = [f"{_peak(_fresh(server), path)} MB at {size:,} rows" for size, path in sizes.items()]
        print(f"peak memory of the checking process: {', '.join(peaks)}")


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
