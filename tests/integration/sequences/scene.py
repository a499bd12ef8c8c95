"""The warehouse that sequences run in, the one that is built anew, and landing."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from threegaps.contracts.model import Contract


class Scene:
    """The warehouse that a sequence runs in, the one that is built anew, and landing."""

    def __init__(self, root: Path, dsn: str, anew: str, contracts: dict[str, Contract]) -> None:
        self.root, self.dsn, self.anew, self.contracts = root, dsn, anew, contracts

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def clear(self) -> None:
        shutil.rmtree(self.landing, ignore_errors=True)
        for dsn in (self.dsn, self.anew):
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("truncate ops.landed_object, ops.batch, ops.watermark restart identity cascade")
                for contract in self.contracts.values():
                    connection.execute(f"drop table if exists raw.{contract.table}, raw_history.{contract.table}")
