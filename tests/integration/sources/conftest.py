"""A project with one small feed, a warehouse and a landing of the test's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.integration.faults.conftest import point_at
from tests.integration.sources import small_contract
from tests.integration.sources.scripted_gateway import ScriptedGateway
from threegaps import feed_run
from threegaps.sources import retry

JUNE = "2026-06"


@pytest.fixture(scope="session", autouse=True)
def _airflow_has_set_up_its_log() -> None:
    """It does so when it is first imported, and takes the handlers away by which a test sees what is logged."""
    import airflow.providers.sftp.hooks.sftp  # noqa: F401  # for what its import does


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between attempts, in seconds: noted instead of waited for."""
    import types

    noted: list[float] = []
    monkeypatch.setattr(retry, "time", types.SimpleNamespace(sleep=noted.append))
    return noted


class SmallFeed:
    """The small feed, from its contract to its table."""

    def __init__(self, root: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.warehouse, self._patch = root, warehouse, monkeypatch

    def comes_by(
        self, source: dict[str, Any], delivery: dict[str, Any], file_format: dict[str, Any] | None = None
    ) -> None:
        """Write its contract."""
        small_contract.write(self.root, source, delivery, file_format or small_contract.JSON)

    def connect(self, **connection: Any) -> None:
        """Set the connection that leads to its department."""
        self._patch.setenv("AIRFLOW_CONN_TEST_ROWS", json.dumps(connection))

    def at(self, gateway: ScriptedGateway, **differing: Any) -> None:
        """Let the connection lead to a gateway."""
        whole = {
            "conn_type": "http",
            "schema": "http",
            "host": "127.0.0.1",
            "port": gateway.port,
            "login": "application",
            "password": "secret-in-tests",
        }
        self.connect(**(whole | differing))

    def run(self, delivery: str = JUNE) -> list[int]:
        """Land and load."""
        feed_run.land(small_contract.FEED, delivery)
        return feed_run.load(small_contract.FEED, delivery)

    def land(self, delivery: str = JUNE) -> list[int]:
        """Land only."""
        return feed_run.land(small_contract.FEED, delivery)

    def landed_ids(self) -> list[str]:
        """The keys in the answers that have landed, each once, in order."""
        (uri,) = self.ask("select uri from ops.landed_object")[0]
        lines = Path(urlsplit(uri).path).read_bytes().splitlines()
        return sorted({row["id"] for line in lines for row in json.loads(line)["data"]["rows"]})

    def ask(self, question: str) -> Sequence[Any]:
        with psycopg.connect(self.warehouse, autocommit=True) as connection:
            return connection.execute(question).fetchall()

    def ids(self) -> list[str]:
        """The keys of the rows in its table."""
        made = self.ask("select to_regclass('raw.test_rows') is not null")[0][0]
        return [row[0] for row in self.ask("select row_id from raw.test_rows order by row_id")] if made else []

    def landed(self) -> list[str]:
        """The parts that have landed, in order."""
        return [row[0] for row in self.ask("select part from ops.landed_object order by landed_object_id")]

    def counts(self) -> list[tuple[int, int, int, int]]:
        """Received, accepted, refused, duplicates of each batch, in order."""
        return [
            tuple(row)
            for row in self.ask("select received, accepted, refused, duplicates from ops.batch order by batch_id")
        ]

    def refusals(self) -> dict[str, int]:
        """How many refused rows broke each rule."""
        return dict(
            self.ask(
                "select reason->>'rule', count(*) from quarantine.refused_row, jsonb_array_elements(reasons) as reason"
                " group by 1"
            )
        )


@pytest.fixture
def feed(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallFeed:
    point_at(monkeypatch, warehouse, tmp_path / "landing")
    monkeypatch.setenv("THREEGAPS_ROOT", str(tmp_path / "project"))
    monkeypatch.setenv("THREEGAPS_SANDBOX", "1")
    return SmallFeed(tmp_path / "project", warehouse, monkeypatch)
