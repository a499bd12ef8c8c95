"""What each role may do with everything in the warehouse, and what a reader cannot do to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import yaml
from psycopg import errors, sql

from tests.conftest import PIPELINE_PASSWORD, new_database
from tests.integration.access.catalogue import PUBLIC, open_functions, rights, rows_seen
from tests.integration.release.served_otherwise import differences
from threegaps.access import logins
from threegaps.access.findings import findings
from threegaps.access.overlong import end_overlong
from threegaps.access.restoring import give_password, readers, restore_changed
from threegaps.access.server import GROUPS, close_warehouse, make_roles, scram_verifier
from threegaps.cli import doctor
from threegaps.errors import AccessError
from threegaps.ledger.migrate import upgrade
from threegaps.marts import dbt_runner
from threegaps.marts.lock import BUILD_LOCK
from threegaps.marts.manifest import Manifest
from threegaps.one_machine.postgres import PostgresServer
from threegaps.release.served import apply_served
from threegaps.settings import DUTY_LOGIN, Settings

pytestmark = pytest.mark.integration

EXPECTED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
DUTY, DUTY_PASSWORD = "duty_desk", "duty-in-tests"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manifest]:
    """The project's own manifest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THREEGAPS_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("THREEGAPS_WAREHOUSE_HOST", "127.0.0.1")
        yield dbt_runner.parse_project(Settings.load())


@pytest.fixture(scope="module")
def warehouse(postgres: PostgresServer, manifest: Manifest) -> str:
    """A warehouse as a deployment makes it, with all that is served; its connection string as role pipeline."""
    database = new_database(postgres)
    with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
        close_warehouse(connection)
    dsn = postgres.dsn(database, user="pipeline", password=PIPELINE_PASSWORD)
    upgrade(dsn)
    logins.keep_duty(dsn, DUTY_PASSWORD)
    apply_served(dsn, manifest)
    return dsn


@pytest.fixture
def catalogue(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse) as connection:
        # Names in policies and of functions are written with their schemas.
        connection.execute("set search_path = ''")
        yield connection


@pytest.fixture(params=["bi", "county", "statistician"])
def reader(request: pytest.FixtureRequest, warehouse: str, postgres: PostgresServer) -> Iterator[str]:
    """The connection string of a login of each kind."""
    login = f"reader_{next(_numbers)}"
    password = logins.add(warehouse, login, request.param, county_code="330102" if request.param == "county" else None)
    yield postgres.dsn(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"], user=login, password=password)
    logins.remove(warehouse, login)


# ---- what each role sees ----------------------------------------------------------------------------------------


def test_the_database_is_for_those_who_read(catalogue: psycopg.Connection[Any]) -> None:
    (found,) = rights(catalogue, "database").values()
    assert found == {role: set(names) for role, names in EXPECTED["database"].items()}


def test_each_schema_is_open_to_whom_it_is_for(catalogue: psycopg.Connection[Any]) -> None:
    found = rights(catalogue, "schema")
    assert set(found) == {*EXPECTED["schemas"], *EXPECTED["closed_schemas"]}, "say in expected.yaml who uses it"
    for schema, roles in found.items():
        assert roles == {role: {"USAGE"} for role in EXPECTED["schemas"].get(schema, ())}, schema


def test_each_relation_is_read_by_whom_it_is_for(catalogue: psycopg.Connection[Any]) -> None:
    every = {
        name: {role: given for role, given in roles.items() if role != DUTY}
        for name, roles in rights(catalogue, "relation").items()
    }
    found = {name: roles for name, roles in every.items() if roles or not is_closed(name)}
    assert {name: set(roles) for name, roles in found.items()} == {
        name: set(roles) for name, roles in EXPECTED["relations"].items()
    }, "say in expected.yaml who reads it, and which rows"
    assert {name: right for name, roles in found.items() for right in roles.values() if right != {"SELECT"}} == {}


def test_the_duty_page_reads_the_ledger_and_writes_what_people_do_there(catalogue: psycopg.Connection[Any]) -> None:
    expected = EXPECTED["duty"]
    relations = {name: roles[DUTY] for name, roles in rights(catalogue, "relation").items() if DUTY in roles}
    assert relations == {name: {"SELECT"} for name in expected["reads"]}
    columns = rights(catalogue, "column")
    assert {role for roles in columns.values() for role in roles} == {DUTY}
    for right in ("insert", "update"):
        found = [name for name, roles in columns.items() if right.upper() in roles[DUTY]]
        assert sorted(found) == sorted(expected[f"{right}s"])
    assert {right for roles in columns.values() for right in roles[DUTY]} == {"INSERT", "UPDATE"}
    groups = catalogue.execute(
        "select array_agg(g.rolname::text order by 1) from pg_auth_members as m join pg_roles as g on g.oid = m.roleid"
        " join pg_roles as l on l.oid = m.member where l.rolname = %s",
        [DUTY_LOGIN],
    ).fetchone()
    assert groups == (["bi_reader", DUTY],)


def test_rights_that_the_duty_page_had_before_are_taken_back(warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("grant delete on ops.batch to duty_desk; grant update (status) on ops.batch to duty_desk")
        logins.keep_duty(warehouse, DUTY_PASSWORD)
        assert rights(connection, "relation")["ops.batch"] == {DUTY: {"SELECT"}}
        assert "ops.batch.status" not in rights(connection, "column")


@pytest.mark.parametrize("relation", EXPECTED["relations"])
def test_each_role_sees_the_rows_that_are_for_it(catalogue: psycopg.Connection[Any], relation: str) -> None:
    expected = EXPECTED["relations"][relation]
    assert {role: rows_seen(catalogue, role, relation) for role in expected} == expected


def test_each_function_is_called_by_whom_it_is_for(catalogue: psycopg.Connection[Any]) -> None:
    found = {name: set(roles) for name, roles in rights(catalogue, "function").items()}
    assert found == {name: set(roles) for name, roles in EXPECTED["functions"].items()}, "say in expected.yaml who"


def test_nothing_that_is_made_later_is_open_by_default(catalogue: psycopg.Connection[Any]) -> None:
    assert catalogue.execute("select count(*) from pg_default_acl").fetchone() == (0,)
    owned = catalogue.execute(
        "select count(*) from pg_shdepend as d inner join pg_roles as r on r.oid = d.refobjid"
        " where d.deptype = 'o' and r.rolname = any(%s)",
        [list(GROUPS)],
    )
    assert owned.fetchone() == (0,)


def test_all_that_is_read_says_what_it_is_in_both_languages(catalogue: psycopg.Connection[Any]) -> None:
    said = catalogue.execute(
        "with relation as (select oid, oid::regclass::text as name from pg_class where relkind in ('r', 'v')"
        " and relnamespace in ('marts'::regnamespace, 'history'::regnamespace, 'exact'::regnamespace))"
        " select name, null, obj_description(oid, 'pg_class') from relation union all"
        " select name, attname, col_description(oid, attnum) from relation join pg_attribute on attrelid = oid"
        " where attnum > 0 and not attisdropped"
    ).fetchall()
    assert len(said) > 1000
    assert [(name, column) for name, column, text in said if " | " not in (text or "") or text.isascii()] == []


def test_times_carry_their_zone(catalogue: psycopg.Connection[Any]) -> None:
    kinds = catalogue.execute(
        "select table_schema || '.' || table_name || '.' || column_name, data_type from information_schema.columns"
        " where table_schema in ('marts', 'history', 'exact') and data_type like 'time%'"
    ).fetchall()
    assert kinds
    assert [column for column, kind in kinds if kind != "timestamp with time zone"] == []


def test_dbt_grants_nothing(manifest: Manifest) -> None:
    granted = {name: node["config"].get("grants") for name, node in manifest.nodes.items()}
    assert {name: grants for name, grants in granted.items() if grants} == {}


def test_a_table_of_expectations_that_is_wrong_fails(catalogue: psycopg.Connection[Any]) -> None:
    """What the tests above would say of a relation, a right and a function that nobody has spoken of."""
    catalogue.execute("create table marts.of_nobody (area_code text)")
    catalogue.execute("grant insert on marts.dim_area to county_reader")
    catalogue.execute("grant select (area_code) on marts.of_nobody to public")
    catalogue.execute("create function marts.open_to_all() returns int language sql return 1")
    found = rights(catalogue, "relation")
    assert "marts.of_nobody" in found
    assert found["marts.dim_area"]["county_reader"] == {"SELECT", "INSERT"}
    assert rights(catalogue, "column")["marts.of_nobody.area_code"] == {PUBLIC: {"SELECT"}}
    assert rights(catalogue, "function")["marts.open_to_all()"] == {PUBLIC: {"EXECUTE"}}
    catalogue.rollback()


def test_the_served_tables_of_the_project_are_what_its_manifest_says(warehouse: str, manifest: Manifest) -> None:
    apply_served(warehouse, manifest)
    with psycopg.connect(warehouse) as connection:
        assert differences(connection, manifest) == []
    names = {table.name for table in manifest.served}
    assert {"indicator_value", "indicator_rank", "three_gaps", "action_1_bright_future", "dim_area"} <= names
    assert all(column.comment for table in manifest.served for column in table.columns)


# ---- what a reader cannot do ------------------------------------------------------------------------------------


def test_no_function_that_could_stop_or_fill_the_server_is_open(catalogue: psycopg.Connection[Any]) -> None:
    assert open_functions(catalogue) == []


@pytest.mark.parametrize(
    "statement",
    [
        f"select pg_advisory_lock({BUILD_LOCK})",
        f"select pg_try_advisory_xact_lock_shared({BUILD_LOCK})",
        "select pg_advisory_lock(7237, hashtext('load hrss/wage_records'))",
        "select lo_from_bytea(0, 'x')",
        "select lo_create(0)",
        "select pg_notify('a', 'b')",
        "select pg_logical_emit_message(false, 'a', repeat('b', 1000))",
        "create temporary table filled (x text)",
        "create table marts.filled (x text)",
        "create table public.filled (x text)",
        "create schema filled",
        "set temp_file_limit = -1",
        "set log_statement = 'none'",
        "select * from ops.batch",
    ],
)
def test_a_reader_cannot_stop_or_fill_the_server(reader: str, statement: str) -> None:
    """Whatever it says of its own session."""
    with psycopg.connect(reader) as connection:
        connection.read_only = False
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_a_reader_enters_no_other_database(reader: str, database: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(reader)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(psycopg.conninfo.make_conninfo(**(parts | {"dbname": database})))


def test_each_session_of_a_reader_has_its_limits(reader: str) -> None:
    expected = {
        "timezone": "Asia/Shanghai",
        "statement_timeout": "5min",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "5min",
        "idle_session_timeout": "12h",
        "temp_file_limit": "4GB",
    }
    with psycopg.connect(reader) as connection:
        assert {name: shown(connection, name) for name in expected} == expected
        # Of a statistician too: an exact figure is asked for by its schema, and never comes by mistake.
        assert shown(connection, "search_path") == "marts, history"


def test_the_pipeline_has_no_limits_and_its_locks(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"):
            assert shown(connection, name) == "0"
        assert shown(connection, "temp_file_limit") == "-1"
        assert connection.execute("select pg_try_advisory_lock(%s)", [BUILD_LOCK]).fetchone() == (True,)


def test_a_transaction_that_never_ends_is_ended(reader: str, warehouse: str) -> None:
    """Even where the session has lifted its own limits; the pipeline's own are left alone."""
    with psycopg.connect(reader) as session, psycopg.connect(warehouse) as pipeline:
        session.execute("set statement_timeout = 0")
        session.execute("set idle_in_transaction_session_timeout = 0")
        pipeline.execute("select 1")
        with psycopg.connect(warehouse, autocommit=True) as connection:
            assert end_overlong(connection) == 0
            assert end_overlong(connection, minutes=0) == 1
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        assert pipeline.execute("select 1").fetchone() == (1,)


def test_what_stands_open_is_found(warehouse: str, postgres: PostgresServer) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    beyond, more = (
        "create role reads_more login connection limit 1 in role bi_reader",
        "1 logins of readers have rights",
    )
    duty = f"drop role if exists {DUTY_LOGIN}; create role {DUTY_LOGIN} login connection limit 1 in role duty_desk"
    opened = (
        ("grant execute on function pg_advisory_lock(bigint) to public", "everybody may call 1 of"),
        (f"grant temporary on database {database} to public", "everybody has 1 rights on the database"),
        (
            "create role unwatched login connection limit 1 in role statistician",
            "of 1 logins that may see exact values",
        ),
        ("create role unbounded login in role county_reader", "1 logins of readers may open any number"),
        (f"alter database {database} reset statement_timeout", "readers' sessions have no limits"),
        (f"{beyond}; grant select on ops.reader_login to reads_more", more),
        (f"{beyond}; grant select (login) on ops.reader_login to reads_more", more),
        (f"{beyond}; grant usage on schema raw to reads_more", more),
        (f"{beyond}; grant execute on function access.password_is(name, text) to reads_more", more),
        (f"{beyond}; grant pg_read_all_data to reads_more", more),
        (f"{beyond}; create schema kept authorization reads_more", more),
        (f"{duty}; grant county_reader to {DUTY_LOGIN}", more),
        (f"{duty}; grant pg_monitor to {DUTY_LOGIN}", more),
    )
    with psycopg.connect(postgres.dsn(database)) as connection:
        assert findings(connection) == []
        for statement, said in opened:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())
                (found,) = findings(connection)
                assert found.startswith(said)


# ---- logins -----------------------------------------------------------------------------------------------------


def test_a_login_reads_what_is_for_it(warehouse: str, postgres: PostgresServer) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    passwords = {
        "a_tool": logins.add(warehouse, "a_tool", "bi"),
        "an_officer": logins.add(warehouse, "an_officer", "county", county_code="330102"),
        "a_statistician": logins.add(warehouse, "a_statistician", "statistician"),
    }
    sees_exact = {}
    for login, password in passwords.items():
        with psycopg.connect(postgres.dsn(database, user=login, password=password)) as connection:
            assert connection.execute("select count(*) from indicator_value").fetchone() == (0,)
            sees_exact[login] = connection.execute("select has_schema_privilege('exact', 'usage')").fetchone()
            found = {one.login: one for one in logins.listed(warehouse)}[login]
            assert (found.connections, found.most_connections) == (1, logins.CONNECTIONS[found.kind])
    assert sees_exact == {"a_tool": (False,), "an_officer": (False,), "a_statistician": (True,)}
    listed = {one.login: (one.kind, one.county_code) for one in logins.listed(warehouse)}
    assert {name: listed[name] for name in passwords} == {
        "a_tool": ("bi", None),
        "an_officer": ("county", "330102"),
        "a_statistician": ("statistician", None),
    }
    with psycopg.connect(postgres.dsn(database, user="an_officer", password=passwords["an_officer"])) as connection:
        asked = connection.execute("select marts.county_of(current_user)").fetchone()
        assert asked == ("330102",)
    for login in passwords:
        logins.remove(warehouse, login)
    assert not set(passwords) & {one.login for one in logins.listed(warehouse)}
    with psycopg.connect(warehouse) as connection:
        left = connection.execute("select count(*) from ops.county_reader where role_name = 'an_officer'").fetchone()
    assert left == (0,)


def test_what_a_statistician_asks_is_logged_and_what_others_ask_is_not(
    warehouse: str, postgres: PostgresServer
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    for login, kind, logged in (("watched", "statistician", "all"), ("unwatched", "bi", "none")):
        password = logins.add(warehouse, login, kind)  # type: ignore[arg-type]  # the two kinds that are written here
        with psycopg.connect(postgres.dsn(database, user=login, password=password)) as connection:
            assert shown(connection, "log_statement") == logged
        logins.remove(warehouse, login)


def test_no_password_stands_in_a_statement(
    warehouse: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = psycopg.Connection.execute

    def record(self: psycopg.Connection[Any], query: Any, params: Any = None, **more: Any) -> Any:
        written = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
        sent.append(f"{written} {params}")
        return execute(self, query, params, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", record)
    passwords = [logins.add(warehouse, "quiet", "bi"), logins.renew(warehouse, "quiet")]
    logins.remove(warehouse, "quiet")
    assert len([one for one in sent if "SCRAM-SHA-256$" in one and one.startswith("alter role")]) == 2
    assert [one for one in sent if any(password in one for password in passwords)] == []


def test_a_new_password_ends_the_old_one_and_its_sessions(warehouse: str, postgres: PostgresServer) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    old = logins.add(warehouse, "renewed", "bi")
    with psycopg.connect(postgres.dsn(database, user="renewed", password=old)) as session:
        new = logins.renew(warehouse, "renewed")
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.dsn(database, user="renewed", password=old))
    psycopg.connect(postgres.dsn(database, user="renewed", password=new)).close()
    logins.remove(warehouse, "renewed")


def test_a_login_with_default_privileges_of_its_own_is_removed(warehouse: str, postgres: PostgresServer) -> None:
    """A reader may change them, and the server keeps a role that has some."""
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    password = logins.add(warehouse, "undeletable", "bi")
    with psycopg.connect(postgres.dsn(database, user="undeletable", password=password), autocommit=True) as session:
        session.execute("set default_transaction_read_only = off")
        session.execute("alter default privileges grant select on tables to public")
    logins.remove(warehouse, "undeletable")
    with psycopg.connect(warehouse) as connection:
        assert connection.execute("select from pg_roles where rolname = 'undeletable'").fetchone() is None
        assert connection.execute("select count(*) from pg_default_acl").fetchone() == (0,)


@pytest.mark.parametrize("left", ["nologin", "connection limit 0"])
def test_a_removal_that_was_cut_off_is_seen_taken_back_and_called_again(
    warehouse: str, postgres: PostgresServer, left: LiteralString
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    logins.add(warehouse, "cut_off", "bi")
    cut = sql.SQL("alter role cut_off {}").format(sql.SQL(left))
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(cut)
        assert "cut_off" in {one.login for one in logins.listed(warehouse)}
        password = logins.renew(warehouse, "cut_off")
        psycopg.connect(postgres.dsn(database, user="cut_off", password=password)).close()
        connection.execute(cut)
        logins.remove(warehouse, "cut_off")
        assert connection.execute("select from pg_roles where rolname = 'cut_off'").fetchone() is None


@pytest.mark.parametrize("name", ["", "Upper", "1st", "with space", "pg_reader", "x" * 64, "a;b", 'a"b'])
def test_a_name_that_is_none_is_refused_and_not_repeated(warehouse: str, name: str) -> None:
    with pytest.raises(AccessError) as refused:
        logins.add(warehouse, name, "bi")
    assert not name or name not in str(refused.value)


@pytest.mark.parametrize("name", ["public", "none"])
def test_what_the_server_takes_for_everybody_or_nobody_is_no_login(warehouse: str, name: str) -> None:
    with pytest.raises(AccessError, match="is a word of PostgreSQL's"):
        logins.add(warehouse, name, "bi")


@pytest.mark.parametrize("taken", ["pipeline", "bi_reader", "county_reader"])
def test_no_other_role_is_taken_for_a_reader(warehouse: str, taken: str) -> None:
    with pytest.raises(AccessError, match="There is a role of this name"):
        logins.add(warehouse, taken, "bi")
    for change in (logins.renew, logins.remove):
        with pytest.raises(AccessError, match="There is no reader of this name"):
            change(warehouse, taken)


def test_a_login_made_by_the_servers_superuser_is_left_to_him(warehouse: str, postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        if connection.info.server_version < 160_000:
            pytest.skip("before 16 whoever may make roles may change every one that is no superuser's")
        connection.execute("create role made_by_hand login in role bi_reader")
    assert "made_by_hand" in {one.login for one in logins.listed(warehouse)}
    with pytest.raises(AccessError, match="may not do this"):
        logins.remove(warehouse, "made_by_hand")
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("drop role made_by_hand")


# ---- what a reader changes of its own login ---------------------------------------------------------------------

CHANGES = (
    "alter role current_user set statement_timeout = 0",
    "alter role current_user set row_security = off",
    "alter role current_user in database {database} reset all",
    "alter role current_user in database {database} set search_path = ''",
    "alter role current_user password 'the same for all'",
)


def change_own_login(reader: str, *changes: str) -> None:
    database = psycopg.conninfo.conninfo_to_dict(reader)["dbname"]
    with psycopg.connect(reader) as connection:
        connection.read_only = False
        for change in changes:
            connection.execute(change.format(database=database).encode())


@pytest.mark.parametrize("reader", ["bi"], indirect=True)
@pytest.mark.parametrize("change", CHANGES)
def test_a_login_is_not_changed_by_mistake(reader: str, change: str) -> None:
    """A tool's menu may offer it: a session only reads, until it says otherwise."""
    with psycopg.connect(reader) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute(change.format(database=connection.info.dbname).encode())


@pytest.mark.parametrize("reader", ["statistician"], indirect=True)
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_reader_changes_of_its_login_is_put_back(
    warehouse: str, reader: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL lets it: what is not forbidden is found by the doctor, and ended by upkeep."""
    login = str(psycopg.conninfo.conninfo_to_dict(reader)["user"])
    change_own_login(reader, change)
    (found,) = [one for one in logins.listed(warehouse) if one.login == login]
    is_password = "password" in change
    assert (found.credential, found.is_changed) == ("other" if is_password else "given", True)
    assert (found.changed_settings > 0) == (not is_password)
    settings = Settings.load({"THREEGAPS_WAREHOUSE_HOST": "unused"})
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: warehouse)
    state, message, advice = doctor._logins(settings)
    assert (state, login in message) == ("wrong", True)
    assert "`threegaps reader renew LOGIN`" in advice
    with psycopg.connect(warehouse, autocommit=True) as connection:
        # Logins are the server's: others may have been made by hand there.
        restored, left = restore_changed(connection)
        assert (login in restored, login in left) == (True, False)
        assert login not in itertools.chain(*restore_changed(connection))
    (found,) = [one for one in logins.listed(warehouse) if one.login == login]
    assert (found.is_changed, found.restored_at is None) == (False, False)
    assert login not in doctor._logins(settings)[1]
    with psycopg.connect(reader) as connection:
        assert (shown(connection, "statement_timeout"), shown(connection, "row_security")) == ("5min", "on")


@pytest.mark.parametrize("reader", ["county"], indirect=True)
def test_a_password_of_none_is_put_back(warehouse: str, reader: str) -> None:
    change_own_login(reader, "alter role current_user password null")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(reader)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        restore_changed(connection)
    psycopg.connect(reader).close()


@pytest.mark.parametrize("reader", ["bi"], indirect=True)
def test_no_older_password_is_put_over_one_that_is_renewed_meanwhile(
    warehouse: str, reader: str, postgres: PostgresServer
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(reader)
    login = str(parts["user"])
    change_own_login(reader, "alter role current_user password 'the same for all'")
    with psycopg.connect(warehouse) as renewing, ThreadPoolExecutor() as pool:
        give_password(renewing, login, scram_verifier(renewing, login, "renewed"))
        with psycopg.connect(warehouse, autocommit=True) as upkeep:
            restoring = pool.submit(restore_changed, upkeep)
            with pytest.raises(TimeoutError):
                restoring.result(timeout=0.5)
            renewing.commit()
            _, left = restoring.result(timeout=10)
    assert login not in left
    psycopg.connect(postgres.dsn(str(parts["dbname"]), user=login, password="renewed")).close()


@pytest.mark.parametrize("reader", ["bi"], indirect=True)
def test_a_session_that_only_reads_may_be_pinned_to_a_release(warehouse: str, reader: str) -> None:
    with psycopg.connect(warehouse) as connection:
        connection.execute("insert into marts.dim_release values (1, 'build', '2026-06-30', now())")
    with psycopg.connect(reader, autocommit=True) as connection:
        assert shown(connection, "transaction_read_only") == "on"
        assert connection.execute("select history.as_of(1)").fetchone() == (1,)
        assert connection.execute("select count(*) from history.indicator_value_at").fetchone() == (0,)
    with psycopg.connect(warehouse) as connection:
        connection.execute("delete from marts.dim_release")


def test_what_a_statistician_asks_is_logged_whatever_it_changes(warehouse: str, postgres: PostgresServer) -> None:
    password = logins.add(warehouse, "stays_watched", "statistician")
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    reader = postgres.dsn(database, user="stays_watched", password=password)
    for change in (
        "alter role current_user set log_statement = 'none'",
        "alter role current_user in database {database} set log_statement = 'none'",
        "alter role current_user in database {database} reset log_statement",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            change_own_login(reader, change)
    change_own_login(
        reader, "alter role current_user reset all", "alter role current_user in database {database} reset all"
    )
    with psycopg.connect(reader) as connection:
        assert shown(connection, "log_statement") == "all"
    logins.remove(warehouse, "stays_watched")


def test_a_login_that_was_made_by_hand_is_found_handed_over_and_renewed(
    warehouse: str, postgres: PostgresServer
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("create role made_up login password 'weak' in role bi_reader")
        connection.execute("alter role made_up set statement_timeout = 0")
        is_before_16 = connection.info.server_version < 160_000
    with psycopg.connect(warehouse, autocommit=True) as pipeline:
        (found,) = readers(pipeline, "made_up")
        assert (found.credential, found.most_connections, found.changed_settings) == ("other", -1, 2)
        # Its limits come back by themselves where the pipeline may do that; whose password it is only a person knows.
        assert "made_up" in restore_changed(pipeline)[1]
        (found,) = readers(pipeline, "made_up")
        assert found.changed_settings == (0 if is_before_16 else 2)
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            make_roles(connection)
        password = logins.renew(warehouse, "made_up")
        (found,) = readers(pipeline, "made_up")
        assert (found.is_changed, found.most_connections) == (False, logins.CONNECTIONS["bi"])
    psycopg.connect(postgres.dsn(database, user="made_up", password=password)).close()
    logins.remove(warehouse, "made_up")


def test_a_login_whose_password_is_kept_elsewhere_is_made_once_and_brought_back(
    warehouse: str, postgres: PostgresServer
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    reader = postgres.dsn(database, user="kept", password="kept-elsewhere")
    logins.keep(warehouse, "kept", "bi", "kept-elsewhere")
    change_own_login(reader, *CHANGES)
    logins.keep(warehouse, "kept", "bi", "kept-elsewhere")
    psycopg.connect(reader).close()
    with psycopg.connect(warehouse, autocommit=True) as connection:
        assert [one.is_changed for one in readers(connection, "kept")] == [False]
    logins.remove(warehouse, "kept")


@pytest.mark.parametrize("reader", ["bi"], indirect=True)
def test_where_passwords_cannot_be_compared_nobody_says_that_they_are_right(
    warehouse: str, reader: str, postgres: PostgresServer
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(reader)
    with psycopg.connect(postgres.dsn(str(parts["dbname"]))) as connection:
        connection.execute("drop function access.password_is(name, text)")
        assert [one.credential for one in readers(connection, str(parts["user"]))] == ["unknown"]
        assert findings(connection) == ["whether readers have changed their passwords cannot be told"]
        connection.rollback()


@pytest.mark.parametrize("reader", ["bi"], indirect=True)
def test_nobody_learns_another_password(warehouse: str, reader: str, postgres: PostgresServer) -> None:
    """The function answers of readers alone, and the pipeline alone may ask it."""
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"])
    with psycopg.connect(postgres.dsn(database)) as connection:
        row = connection.execute("select rolpassword from pg_authid where rolname = 'pipeline'").fetchone()
        assert row is not None
    with psycopg.connect(warehouse) as connection:
        asked = connection.execute("select access.password_is('pipeline', %s)", [row[0]]).fetchone()
        assert asked == (None,)
    with psycopg.connect(reader) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("select access.password_is('pipeline', 'x')")


def is_closed(relation: str) -> bool:
    """Whether no reader uses its schema."""
    return not set(EXPECTED["schemas"].get(relation.split(".")[0], ())) - {DUTY}


def shown(connection: psycopg.Connection[Any], setting: str) -> str:
    row = connection.execute(sql.SQL("show {}").format(sql.Identifier(setting))).fetchone()
    assert row is not None
    return str(row[0])
