"""The duty page over a real warehouse, as somebody who may look, or act, or has no session asks for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from threegaps.access import logins
from threegaps.duty.access import OWN_HEADER, Viewer
from threegaps.duty.app import make_app
from threegaps.settings import Settings

FEED = "hrss/wage_records"
ROLES = {"duty": True, "reader": False}
DUTY_PASSWORD = "duty-in-tests"


def identify(request: Request) -> Viewer:
    """Who looks, by a header of the tests in place of Airflow's session."""
    login = request.headers.get("X-Login")
    if login is None:
        raise HTTPException(401)
    if login not in ROLES:
        raise HTTPException(403)
    return Viewer(login, may_write=ROLES[login])


@dataclass(frozen=True)
class Desk:
    """An installation with its page.

    Args:
        settings: The installation.
        dsn: Its warehouse.
        application: Its page, mounted as Airflow mounts it.
    """

    settings: Settings
    dsn: str
    application: Starlette

    @classmethod
    def over(cls, settings: Settings, dsn: str) -> Desk:
        """The page of an installation."""
        return cls(settings, dsn, Starlette(routes=[Mount("/duty", make_app(settings, identify))]))

    def browser(self, login: str | None, **headers: str) -> TestClient:
        """Somebody's browser; None has no session."""
        known = {} if login is None else {"X-Login": login}
        return TestClient(self.application, headers={**known, **headers}, raise_server_exceptions=False)

    def acting(self, login: str | None) -> TestClient:
        """The same, asking as the page's own script does."""
        return self.browser(login, **{OWN_HEADER: "1", "Sec-Fetch-Site": "same-origin"})

    def enter(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement returns."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def know_feed(self) -> None:
        """The ledger knows the feed of wages."""
        self.enter(
            "insert into ops.feed (feed, delivery_kind, first_day, title_zh, title_en, connection_id, cadence, due_day,"
            " known_since) values (%s, 'full_period', '2026-01-01', '工资', 'wages', 'hrss_sftp', 'month', '20',"
            " '2026-01-01')",
            FEED,
        )

    def owe(self, month: int, **columns: Any) -> str:
        """A month's delivery is owed, due on the 20th of the next one; *columns* say what has come of it."""
        start = dt.date(2026, month, 1)
        end = (start + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        values = {
            "feed": FEED,
            "delivery": f"2026-{month:02}",
            "delivery_start": start,
            "delivery_end": end,
            "due_at": dt.datetime(end.year, end.month, end.day, 20, tzinfo=dt.UTC) + dt.timedelta(days=20),
            "cadence": "month",
            **columns,
        }
        names = ", ".join(values)
        self.enter(
            f"insert into ops.expected_delivery ({names}) values ({', '.join(['%s'] * len(values))})", *values.values()
        )
        return str(values["delivery"])

    def batch(self, delivery: str, status: str = "loaded", *, refused: int = 0, **columns: Any) -> int:
        """A batch of a delivery of 100 rows; its number."""
        month = int(delivery[-2:])
        values = {
            "feed": FEED,
            "delivery": delivery,
            "delivery_start": dt.date(2026, month, 1),
            "delivery_end": dt.date(2026, month, 28),
            "status": status,
            "contract_hash": "h",
            "code_version": "1",
            "pseudonym_key_version": "1",
            "physical_lines": 101,
            "structural": 1,
            "received": 100,
            "accepted": 100 - refused,
            "refused": refused,
            "duplicates": 0,
            "inserted": 100 - refused,
            "changed": 0,
            "unchanged": 0,
            "withdrawn": 0,
            "finished_at": dt.datetime.now(dt.UTC),
            "is_complete": True,
            **columns,
        }
        ((number,),) = self.enter(
            f"insert into ops.batch ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})"
            " returning batch_id",
            *values.values(),
        )
        ((landed,),) = self.enter(
            "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256)"
            " select %s, %s, 'part0001', 1 + count(*), 'wages.csv', 'u', 1, repeat('0', 64) from ops.landed_object"
            " where feed = %s and delivery = %s returning landed_object_id",
            *[FEED, delivery] * 2,
        )
        self.enter("insert into ops.batch_object (batch_id, landed_object_id) values (%s, %s)", number, landed)
        return int(number)

    def refuse(self, batch_id: int, row: int, *, value: str = "-5", county: str = "330106") -> str:
        """A row of a batch is refused; its token."""
        token = f"{batch_id:08d}{row:08d}"
        self.enter(
            "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
            " county_code, row_data, reasons) select %s, b.batch_id, b.feed, b.delivery, o.landed_object_id, %s, %s,"
            " jsonb_build_object('wage_cny_month', %s::text, 'county_code', %s::text),"
            " jsonb_build_array(jsonb_build_object('rule', 'wage_cny_month_range', 'column', 'wage_cny_month',"
            " 'message_zh', '工资应大于零', 'message_en', 'a wage is more than nothing'))"
            " from ops.batch as b join ops.batch_object as o using (batch_id) where b.batch_id = %s",
            token,
            row,
            county,
            value,
            county,
            batch_id,
        )
        return token

    def incident(self, kind: str = "feed_stopped", gravity: str = "critical", **columns: Any) -> int:
        """An open incident of the feed; its number."""
        values = {
            "cause_key": f"{kind}:{FEED}",
            "kind": kind,
            "gravity": gravity,
            "feed": FEED,
            "department": "hrss",
            "feeds": [FEED],
            "title_zh": "工资批次已停止",
            "title_en": "A batch of wages has stopped",
            "detail_zh": "行数减少",
            "detail_en": "there are fewer rows",
            "opened_at": dt.datetime.now(dt.UTC) - dt.timedelta(hours=3),
            "last_seen_at": dt.datetime.now(dt.UTC),
            **columns,
        }
        ((number,),) = self.enter(
            f"insert into ops.incident ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})"
            " returning incident_id",
            *values.values(),
        )
        return int(number)


def desk_over(warehouse: str, home: Path, patch: pytest.MonkeyPatch) -> Desk:
    """The page of an installation that has this warehouse."""
    parts = psycopg.conninfo.conninfo_to_dict(warehouse)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "DATABASE": "dbname"}
    environment = {f"THREEGAPS_WAREHOUSE_{name}": str(parts[part]) for name, part in names.items()}
    environment |= {"THREEGAPS_HOME": str(home), "THREEGAPS_SANDBOX": "no"}
    environment |= {"THREEGAPS_DUTY_PASSWORD": DUTY_PASSWORD}
    # As the server has it: Airflow's own knows nothing of the pipeline's login.
    for name in ("USER", "PASSWORD"):
        del environment[f"THREEGAPS_WAREHOUSE_{name}"]
    logins.keep_duty(warehouse, DUTY_PASSWORD)
    for name, value in environment.items():
        patch.setenv(name, value)
    return Desk.over(Settings.load(), warehouse)


@pytest.fixture
def desk(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_over(warehouse, tmp_path / "home", monkeypatch)
