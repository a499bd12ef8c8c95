"""The duty page's own login at the warehouse: its pages answer and its acts work by it, and nothing else does."""

from __future__ import annotations

import time

import psycopg
import pytest
from psycopg import errors

from tests.conftest import PIPELINE_PASSWORD
from tests.integration.duty.conftest import DUTY_PASSWORD, FEED, Desk
from tests.integration.release.small_marts import A, B, P, make_build_schema, manifest_with_exact, release
from threegaps.access import logins
from threegaps.access.server import make_roles
from threegaps.contracts.tables import DERIVED_COLUMNS, PERSON_COLUMN
from threegaps.duty.asking import reading, writing
from threegaps.errors import AccessError, SettingsError
from threegaps.one_machine.postgres import PostgresServer
from threegaps.release import history
from threegaps.release.served import apply_served
from threegaps.settings import DUTY_LOGIN, Settings

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("desk")]

PAGES = (
    "",
    "feeds",
    f"feeds/{FEED}",
    f"feeds/{FEED}/2026-05",
    f"feeds/{FEED}/refused.xlsx?delivery=2026-05",
    "refused",
    "tickets/1",
    "counties",
    "counties/330106",
    "release",
    "runbook",
    "dag/feed_hrss_wage_records/run/none",
)
FORBIDDEN = (
    "insert into raw.kept values (1)",
    "insert into core.kept values (1)",
    "insert into marts.dim_release values (9, 'build', now(), now())",
    "delete from marts.indicator_value_stored",
    "delete from history.indicator_value",
    "select * from raw.kept",
    "select * from raw_history.kept",
    "select * from core.kept",
    "select * from exact.indicator_value",
    "select * from exact.indicator_value_past",
    "select * from ops.reader_login",
    "select * from ops.county_reader",
    "select * from ops.outbox",
    "drop table ops.incident",
    "truncate ops.incident",
    "delete from ops.incident",
    "delete from ops.incident_change",
    "delete from quarantine.refused_row",
    "update quarantine.refused_row set row_data = '{}'",
    "update ops.incident set opened_at = now()",
    "update ops.incident set gravity = 'warning'",
    "update ops.incident_change set changed_by = 'another'",
    "update ops.ticket set sent_by = 'another'",
    "update ops.batch set status = 'loaded'",
    "update ops.acceptance_request set taken_up_at = now()",
    "insert into ops.acceptance_request (batch_id, accepted_at) values (1, now())",
    "insert into ops.acceptance values (1, 1, '{}', 'a', 'b', now())",
    "insert into ops.landed_object (feed) values ('a/b')",
    "insert into ops.incident (cause_key) values ('a')",
    "insert into ops.release (kind, as_of) values ('build', now())",
    "create table ops.filled (x text)",
    "create temporary table filled (x text)",
    "create schema filled",
    "create role another",
    "grant duty_desk to bi_reader",
    "set role pipeline",
    "set session authorization pipeline",
    "select pg_advisory_lock(1)",
    "select lo_create(0)",
    "copy ops.incident to '/tmp/copied'",
    "copy ops.incident to program 'cat'",
    "select pg_read_file('postgresql.conf')",
)


def test_each_page_answers_by_it(desk: Desk) -> None:
    desk.know_feed()
    desk.owe(5)
    desk.refuse(desk.batch("2026-05", refused=1), 1)
    desk.incident()
    assert desk.acting("duty").post(f"/duty/feeds/{FEED}/tickets", json={"to": "centre"}).status_code == 200
    answered = {page: desk.browser("reader").get(f"/duty/{page}").status_code for page in PAGES}
    assert answered == dict.fromkeys(PAGES, 200)
    with reading(desk.settings) as connection:
        assert connection.execute("select current_user").fetchone() == (DUTY_LOGIN,)


def test_each_act_works_by_it(desk: Desk) -> None:
    desk.know_feed()
    incident, refused = desk.incident(), desk.batch("2026-04", refused=1)
    desk.refuse(refused, 1)
    stopped = desk.batch("2026-05", "stopped", stop_rule="delivery_shrunk")
    browser = desk.acting("duty")
    answers = [
        browser.post(f"/duty/{path}", json=said)
        for path, said in (
            (f"incidents/{incident}/acknowledge", None),
            (f"incidents/{incident}/assign", {"to": "li"}),
            (f"incidents/{incident}/resolve", {"why": "done"}),
            (f"feeds/{FEED}/tickets", {"to": "centre"}),
            ("tickets/1/answer", {"said": "noted"}),
            (f"batches/{stopped}/accept", {"why": "meant"}),
        )
    ]
    assert [one.status_code for one in answers] == [200] * len(answers)
    assert desk.enter("select acknowledged_by, assigned_to, closed_by, resolution from ops.incident") == [
        ("duty", "li", "duty", "done")
    ]
    assert desk.enter("select sent_by, answer, answered_by from ops.ticket") == [("duty", "noted", "duty")]
    assert desk.enter("select accepted_by, reason from ops.acceptance_request") == [("duty", "meant")]


def test_everything_else_is_refused(desk: Desk) -> None:
    make_build_schema(desk.dsn)
    apply_served(desk.dsn, manifest_with_exact())
    desk.enter(
        "create table raw.kept (x int); create table raw_history.kept (x int); create table core.kept (x int);"
        " grant usage on schema raw, raw_history, core to public"
    )
    allowed = []
    with psycopg.connect(desk.settings.duty_dsn(), options="-c default_transaction_read_only=off") as connection:
        for statement in FORBIDDEN:
            try:
                with connection.transaction():
                    connection.execute(statement.encode())
            except errors.InsufficientPrivilege:
                continue
            allowed.append(statement)
    assert allowed == []


def test_of_what_was_sent_it_reads_refused_rows_alone(desk: Desk) -> None:
    """As docs/server.md says: whole refused rows, whose document numbers are pseudonyms, and keyed hashes of keys."""
    sent = {"key_hash", "row_data", PERSON_COLUMN, *DERIVED_COLUMNS}
    with psycopg.connect(desk.settings.duty_dsn()) as connection:
        readable = connection.execute(
            "select n.nspname || '.' || c.relname || '.' || a.attname from pg_attribute as a"
            " join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname not like 'pg_%%' and c.relkind in ('r', 'v', 'm', 'p') and a.attname = any(%s)"
            " and has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')",
            [sorted(sent)],
        ).fetchall()
    assert {name for (name,) in readable} == {"quarantine.refused_row.key_hash", "quarantine.refused_row.row_data"}


def test_a_session_that_reads_cannot_write(desk: Desk) -> None:
    incident = desk.incident()
    change = ["update ops.incident set assigned_to = 'x' where incident_id = %s", [incident]]
    with reading(desk.settings) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute(*change)
    with writing(desk.settings) as connection:
        assert connection.execute(*change).rowcount == 1


def test_releases_are_compared_by_what_it_may_read_and_what_that_leaves_open_is_said(desk: Desk) -> None:
    make_build_schema(desk.dsn)
    manifest = manifest_with_exact()
    apply_served(desk.dsn, manifest)
    desk.enter("create table build.indicator_cell as select * from build.indicator_value")
    for value in (20, 99):
        release(desk.dsn, {A: value, B: 30, P: value + 30}, manifest=manifest)
        desk.enter(
            "truncate build.indicator_cell; insert into build.indicator_cell select * from build.indicator_value"
        )
    release(desk.dsn, {A: 98, B: 30, P: 128}, manifest=manifest)
    ours, pipelines = history.compare(desk.settings.duty_dsn(), 2, 3), history.compare(desk.dsn, 2, 3)
    named = [one.relation for one in pipelines.relations]
    assert "exact.indicator_value" in named
    assert [one.relation for one in ours.relations] == [name for name in named if not name.startswith("exact.")]
    assert ours.indicators == pipelines.indicators, "what it may not read is not lost"
    assert (ours.without_past, pipelines.without_past) == (None, 0)
    assert history.compare(desk.dsn, 1, 3).without_past is None
    for language, words in (("zh", "无从判断"), ("en", "it cannot tell")):
        page = settled(desk, "release", language)
        assert words in page
        assert "threegaps release diff 2 3" in page


def test_without_a_password_the_page_says_what_to_do(desk: Desk) -> None:
    environment = {name: value for name, value in desk.settings.environment.items() if "DUTY" not in name}
    without = Settings.load(environment)
    with pytest.raises(SettingsError, match="no login of its own"):
        without.duty_dsn()
    page = Desk.over(without, desk.dsn).browser("reader")
    for language, said in (
        ("zh", "值班页在数据仓库没有自己的登录"),
        ("en", "has no login of its own at the warehouse"),
    ):
        answer = page.get("/duty/", headers={"Cookie": f"threegaps_language={language}"})
        assert answer.status_code == 409
        assert said in answer.text
        assert "THREEGAPS_DUTY_PASSWORD" in answer.text


def test_a_password_that_is_not_the_one_given_is_said_and_mended(desk: Desk) -> None:
    assert desk.browser("reader").get("/duty/").status_code == 200
    logins.keep_duty(desk.dsn, "another")
    refused = desk.browser("reader").get("/duty/")
    assert refused.status_code == 503
    assert "角色或其口令" in refused.text
    logins.keep_duty(desk.dsn, DUTY_PASSWORD)
    assert desk.browser("reader").get("/duty/").status_code == 200
    assert PIPELINE_PASSWORD not in str(desk.settings.environment)


OF_RIGHTS = ("值班页在数据仓库的权限不是本版本的:请运行 threegaps migrate", "run threegaps migrate")


def settled(desk: Desk, path: str, language: str) -> str:
    """A page once it no longer comes again by itself."""
    browser = desk.browser("reader", Cookie=f"threegaps_language={language}")
    for _ in range(200):
        answer = browser.get(f"/duty/{path}")
        if "Refresh" not in answer.headers:
            return answer.text
        time.sleep(0.05)
    raise AssertionError("the page comes again for ever")


def said(desk: Desk, path: str, body: object = ...) -> list[tuple[int, str]]:
    """What a page, or with *body* an act, answers in Chinese and in English."""
    answers = [
        desk.acting("duty").request(
            "GET" if body is ... else "POST",
            f"/duty/{path}",
            json=None if body is ... else body,
            headers={"Cookie": f"threegaps_language={language}"},
        )
        for language in ("zh", "en")
    ]
    return [(one.status_code, one.text) for one in answers]


@pytest.mark.parametrize(
    "taken",
    ["revoke select on ops.incident, ops.ticket from duty_desk", "revoke usage on schema ops from duty_desk"],
)
def test_without_the_rights_of_this_version_pages_and_acts_say_what_to_do(desk: Desk, taken: str) -> None:
    incident = desk.incident()
    desk.enter(taken)
    for path, *body in (("",), ("refused",), (f"incidents/{incident}/assign", {"to": "li"})):
        for (status, text), words in zip(said(desk, path, *body), OF_RIGHTS, strict=True):
            assert (status, words in text) == (503, True), text
    logins.keep_duty(desk.dsn, DUTY_PASSWORD)
    assert [status for status, _ in said(desk, "refused")] == [200, 200]


def test_nothing_is_written_to_a_ledger_of_another_version(desk: Desk) -> None:
    incident = desk.incident()
    desk.enter("update ops.alembic_version set version_num = '0001'")
    for (status, text), words in zip(
        said(desk, f"incidents/{incident}/assign", {"to": "li"}), ("版本是 0001", "version 0001"), strict=True
    ):
        assert (status, words in text) == (409, True), text
    assert desk.enter("select assigned_to from ops.incident") == [(None,)]


def test_a_login_that_lost_its_groups_has_them_again_after_a_migration(desk: Desk) -> None:
    desk.enter(f"revoke duty_desk, bi_reader from {DUTY_LOGIN}")
    assert said(desk, "")[0][0] == 503
    logins.keep_duty(desk.dsn, DUTY_PASSWORD)
    assert said(desk, "")[0][0] == 200


def test_groups_that_it_was_given_since_are_taken_back(desk: Desk) -> None:
    desk.enter(f"grant statistician, county_reader to {DUTY_LOGIN}")
    logins.keep_duty(desk.dsn, DUTY_PASSWORD)
    held = desk.enter(
        "select g.rolname from pg_auth_members as m join pg_roles as g on g.oid = m.roleid"
        f" where m.member = '{DUTY_LOGIN}'::regrole order by 1"
    )
    assert held == [("bi_reader",), ("duty_desk",)]


def test_one_that_the_superuser_made_is_taken_over_once_he_has_run_the_roles(
    desk: Desk, postgres: PostgresServer
) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
        if server.info.server_version < 160_000:
            pytest.skip("before 16 whoever may make roles may change every one that is no superuser's")
        server.execute(f"drop role {DUTY_LOGIN}".encode())
        server.execute(f"create role {DUTY_LOGIN} login".encode())
        try:
            with pytest.raises(AccessError, match="may not do this") as refused:
                logins.keep_duty(desk.dsn, DUTY_PASSWORD)
            assert "roles.sql" in (refused.value.advice or "")
        finally:
            make_roles(server)
            logins.keep_duty(desk.dsn, DUTY_PASSWORD)
    assert said(desk, "")[0][0] == 200
