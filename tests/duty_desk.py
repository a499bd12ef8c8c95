"""Somebody on duty: a browser with a session of Airflow, at the page of a running installation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.browser import Browser
from threegaps.airflow_api import airflow_address
from threegaps.one_machine.environment import service_environment
from threegaps.settings import Settings

# As Airflow's own login signs it: an installation of one machine has the administrator alone.
_SIGN = """
import sys
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
for role in sys.argv[1:]:
    print("TOKEN", SimpleAuthManager().generate_jwt(SimpleAuthManagerUser(username=role, role=role)))
"""

# From what is owed, row by row, and what was tried; the page asks the sums.
STATES = """
with moment as (
    select coalesce((select judged_at from ops.delivery_clock), now()) as moment
), owed as (
    select e.*, m.moment from ops.expected_delivery as e join ops.feed as f using (feed) cross join moment as m
    where f.is_current and e.cadence = f.cadence and (e.county_code <> '' or not exists (
        select from ops.expected_delivery as c
        where (c.feed, c.delivery) = (e.feed, e.delivery) and c.county_code <> ''))
)
select o.feed, o.delivery, case
    when exists (select from ops.batch as b where (b.feed, b.delivery) = (o.feed, o.delivery) and b.status = 'stopped'
        and b.batch_id = (select max(l.batch_id) from ops.batch as l where (l.feed, l.delivery) = (o.feed, o.delivery)))
        then 'stopped'
    when bool_and(o.is_paused) then 'paused'
    when count(o.first_arrived_at) = 0 then case
        when (select a.outcome from ops.attempt as a where (a.feed, a.delivery) = (o.feed, o.delivery)
            order by a.attempt_id desc limit 1) in ('failed', 'cut_off') then 'failed'
        when min(o.due_at) > min(o.moment) then 'expected' else 'missing' end
    when count(o.completed_at) filter (where not o.is_paused) < count(*) filter (where not o.is_paused)
        then 'incomplete'
    when sum(o.rows) = 0 then 'empty'
    when bool_or(o.completed_at > o.due_at and o.is_timed) then 'late'
    when bool_or(o.completed_at > o.due_at) then 'untimed'
    else 'on_time' end
from owed as o group by o.feed, o.delivery
"""
"""Feed, delivery and state of each delivery that is owed."""

# From what each county owes of the newest delivery of each feed that is due, row by row.
TILES = """
with moment as (
    select coalesce((select judged_at from ops.delivery_clock), now()) as moment
), closed as (
    select r.feed from ops.reporting_pause as r cross join moment as m
    where r.county_code = '' and r.kind = 'closure' and r.withdrawn_at is null
        and ((m.moment - interval '1 microsecond') at time zone 'Asia/Shanghai')::date
            between r.paused_from and coalesce(r.paused_to, 'infinity')
), due as (
    select e.*, dense_rank() over (partition by e.feed order by e.due_at desc, e.delivery_end desc) as place
    from ops.expected_delivery as e join ops.feed as f using (feed) cross join moment as m
    where f.is_current and e.is_current and not e.is_paused and e.due_at <= m.moment
        and e.feed not in (select c.feed from closed as c)
)
select d.county_code, count(d.first_arrived_at)::integer, count(*)::integer
from due as d where d.county_code <> '' and d.place = 1 group by d.county_code order by d.county_code
"""
"""County, how much of the newest deliveries has come, and how much of them it owes."""
RELEASED = """
select release_id, cells_inserted, cells_changed, cells_removed from ops.release order by release_id desc limit 10
"""
"""The latest releases with the rows that each changed."""


class Desk:
    """A running installation, and who comes to its page.

    Args:
        settings: The installation.
        logins: Each is its own role.
    """

    def __init__(self, settings: Settings, logins: Collection[str]) -> None:
        self.settings = settings
        self.address = airflow_address(settings)
        done = subprocess.run(
            [sys.executable, "-c", _SIGN, *logins],
            env=service_environment(settings) | {"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [line.removeprefix("TOKEN ") for line in done.stdout.splitlines() if line.startswith("TOKEN ")]
        self._tokens = dict(zip(logins, lines, strict=True))

    @contextmanager
    def browser(
        self, login: str | None, *, language: str = "zh-CN", theme: str = "light", width: int = 1280
    ) -> Iterator[Browser]:
        """A browser of one of them; None has no session."""
        browser = Browser(width=width)
        try:
            if login is not None:
                browser.set_cookie(self.address, "_token", self._tokens[login])
            chosen = f"localStorage.setItem('i18nextLng', '{language}'); localStorage.setItem('theme', '{theme}')"
            browser.at_start(f"try {{ {chosen} }} catch {{}}")
            yield browser
        finally:
            browser.close()

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the warehouse answers."""
        with psycopg.connect(self.settings.warehouse_dsn(), autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def failed_attempt(self, feed: str, delivery: str) -> Iterator[None]:
        """While it lasts, the last attempt at a delivery has failed; what is seen of it closes again by itself."""
        ((number,),) = self.ask(
            "insert into ops.attempt (feed, step, delivery, ended_at, outcome, cause, message_zh, message_en)"
            " values (%s, 'land', %s, now(), 'failed', 'not_there', '约定的文件夹不存在', 'the folder is not there')"
            " returning attempt_id",
            *(feed, delivery),
        )
        try:
            yield
        finally:
            self.ask("delete from ops.attempt where attempt_id = %s", number)
