"""Served tables, made from dbt's manifest: what readers name is permanent, and dbt owns none of it.

``apply_served`` only ever adds: schemas, tables, columns, indexes, policies. Nothing that a reader may name is dropped,
renamed or rebuilt; a type that changed is refused, since only a person can decide what becomes of those who read it. A
column that a model has withdrawn stays too, emptied, in the past as well.

``indicator_value`` says with each row which release serves it. Stored, that column would have to be rewritten in every
row at every release; so it is a view over ``indicator_value_stored`` that adds the newest release's number. The view
checks the reader's own rights (``security_invoker``), and rows and number come from one snapshot of one statement.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from threegaps.errors import ReleaseError
from threegaps.marts.manifest import Manifest, ServedColumn, ServedTable

READERS = ("bi_reader", "county_reader")
STAMPED = "indicator_value"
"""The table that carries the serving release in each row."""

_SYNTHETIC = "【合成数据,标明真实公布数的除外 synthetic data, except what is marked as published】"
_RELEASE_COLUMNS = (
    ServedColumn("release_id", "bigint", "发布号:正在提供服务的发布 | the serving release"),
    ServedColumn("value_release_id", "bigint", "最先给出此值的发布号 | the release that first said this value"),
)
_TAIL_COLUMNS = {
    "marts": _RELEASE_COLUMNS[1:],
    "history": (
        ServedColumn("release_from", "bigint", "自此发布号起 | said from this release"),
        ServedColumn("release_to", "bigint", "至此发布号被替换 | replaced by this release"),
    ),
}

# Who reads what is decided by functions and policies of the owner; readers have no right on the ledger itself.
_FOUNDATION = """
create table if not exists marts.dim_release (
    release_id bigint primary key,
    kind text not null,
    as_of date not null,
    released_at timestamptz not null,
    undoes_release_id bigint,
    note text
);
comment on table marts.dim_release is '发布:最大号即正在提供服务者 | releases; the highest number serves';
comment on column marts.dim_release.release_id is '发布号 | release';
comment on column marts.dim_release.kind is '种类(build建模,undo撤回) | kind: a build, or an undo of one';
comment on column marts.dim_release.as_of is '数据基准日 | the day that it looks from';
comment on column marts.dim_release.released_at is '发布时间 | when it was released';
comment on column marts.dim_release.undoes_release_id is '所撤回的发布号 | the release that it undoes';
comment on column marts.dim_release.note is '说明 | why';
-- Within it current_user is the owner; who asks is the role that the session has set, else the one that logged in.
create or replace function marts.county_of(reader name) returns text
    language sql stable security definer set search_path = '' as
    $$ select r.county_code
       from ops.county_reader as r,
            (select coalesce(nullif(current_setting('role'), 'none'), session_user)::name as asking) as a
       where r.role_name = reader and (reader = a.asking or pg_has_role(a.asking, current_user, 'usage')) $$;
create or replace function history.pinned_release() returns bigint
    language sql stable as
    $$ select coalesce(nullif(current_setting('threegaps.release', true), '')::bigint,
                       (select max(release_id) from marts.dim_release)) $$;
create or replace function history.as_of(release bigint) returns bigint
    language plpgsql as
    $$
    begin
        if release is not null and not exists (select 1 from marts.dim_release where release_id = release) then
            raise exception 'there is no release %', release;
        end if;
        perform set_config('threegaps.release', coalesce(release::text, ''), false);
        return release;
    end
    $$;
revoke all on function marts.county_of(name), history.pinned_release(), history.as_of(bigint) from public;
grant execute on function marts.county_of(name), history.pinned_release(), history.as_of(bigint)
    to bi_reader, county_reader;
comment on function history.as_of(bigint) is
    '将本会话固定在某次发布,再查 history.<表>_at;null 取消 | pins the session for the views history.<table>_at';
"""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """Where a served table's rows lie and what they are compared by."""

    table: ServedTable

    @property
    def name(self) -> str:
        """Name of the table of rows in ``marts``."""
        return f"{self.table.name}_stored" if self.table.name == STAMPED else self.table.name

    @property
    def rows(self) -> sql.Identifier:
        """The permanent table in ``marts``."""
        return sql.Identifier("marts", self.name)

    @property
    def past(self) -> sql.Identifier:
        """The table of replaced rows in ``history``."""
        return sql.Identifier("history", self.table.name)


def stored_tables(manifest: Manifest) -> tuple[StoredTable, ...]:
    """Every served table of the project; the list of releases is none of them: ``apply_served`` makes it itself."""
    return tuple(StoredTable(table) for table in manifest.served)


def apply_served(dsn: str, manifest: Manifest, *, is_synthetic: bool = True) -> None:
    """Bring served tables to what the manifest says; may be repeated.

    Args:
        dsn: The warehouse, as its owner.
        manifest: The parsed dbt project.
        is_synthetic: Say in each table's comment that its figures are synthetic.

    Raises:
        ReleaseError: A column's type differs from the served one.
    """
    with psycopg.connect(dsn) as connection:
        # New columns wait for readers a moment at most, and readers never longer than that for them.
        connection.execute("set local lock_timeout = '10s'")
        connection.execute("create schema if not exists marts; create schema if not exists history")
        _lay_foundation(connection)
        for schema in ("marts", "history"):
            connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), _readers()))
        connection.execute(sql.SQL("grant select on marts.dim_release to {}").format(_readers()))
        for stored in stored_tables(manifest):
            _apply_table(connection, stored, is_synthetic=is_synthetic)


def _apply_table(connection: psycopg.Connection[Any], stored: StoredTable, *, is_synthetic: bool) -> None:
    table = stored.table
    tail = {
        "marts": [("value_release_id", "bigint not null")],
        "history": [("release_from", "bigint not null"), ("release_to", "bigint not null")],
    }
    comment = f"{table.comment}{_SYNTHETIC if is_synthetic and table.is_synthetic_in_sandbox else ''}"
    for schema, name in (("marts", stored.name), ("history", table.name)):
        relation = sql.Identifier(schema, name)
        present = _columns_of(connection, schema, name)
        if not present:
            _create(connection, relation, table, tail[schema], is_keyed=schema == "marts")
        else:
            _add_columns(connection, relation, table, present)
            _empty_withdrawn(connection, relation, table, present)
        _index(connection, schema, name, table)
        _protect(connection, schema, name, table)
        said = (
            comment
            if schema == "marts"
            else f"被替换的行,自发布 release_from 起至 release_to 止 | replaced rows. {comment}"
        )
        _comment(connection, "table", relation, said)
        for column in (*table.columns, *_TAIL_COLUMNS[schema]):
            _comment_column(connection, relation, column)
    if stored.name != table.name:
        _stamped_view(connection, stored, comment)
    _past_view(connection, stored, comment)


def _create(
    connection: psycopg.Connection[Any],
    relation: sql.Identifier,
    table: ServedTable,
    tail: list[tuple[str, str]],
    *,
    is_keyed: bool,
) -> None:
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(c.data_type)) for c in table.columns]
    columns += [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in tail]
    if is_keyed:
        columns.append(sql.SQL("primary key ({})").format(_names(table.key)))
    # Room in each page, so that a changed row stays where it is.
    connection.execute(
        sql.SQL("create table {} ({}) with (fillfactor = 85)").format(relation, sql.SQL(", ").join(columns))
    )


def _add_columns(
    connection: psycopg.Connection[Any], relation: sql.Identifier, table: ServedTable, present: dict[str, str]
) -> None:
    for column in table.columns:
        kind = _canonical_type(connection, column.data_type)
        if column.name not in present:
            connection.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    relation, sql.Identifier(column.name), sql.SQL(column.data_type)
                )
            )
        elif present[column.name] != kind:
            raise ReleaseError(
                f"Served column {table.name}.{column.name} is {present[column.name]}, the project now says {kind}.",
                advice="readers rely on the type: add a column of a new name, or migrate by hand.",
            )


def _empty_withdrawn(
    connection: psycopg.Connection[Any], relation: sql.Identifier, table: ServedTable, present: dict[str, str]
) -> None:
    for name in table.withdrawn:
        if name in present:
            column = sql.Identifier(name)
            connection.execute(sql.SQL("update {0} set {1} = null where {1} is not null").format(relation, column))
            said = sql.Literal("不再提供 | no longer served")
            connection.execute(sql.SQL("comment on column {}.{} is {}").format(relation, column, said))


def _index(connection: psycopg.Connection[Any], schema: str, name: str, table: ServedTable) -> None:
    wanted = list(table.indexes) if schema == "marts" else [(*table.key, "release_from")]
    for columns in wanted:
        label = f"{name}_by_{'_'.join(columns)}"
        if len(label) > 60:
            label = f"{name[:40]}_by_{hashlib.sha256(label.encode()).hexdigest()[:12]}"
        connection.execute(
            sql.SQL("create index if not exists {} on {} ({})").format(
                sql.Identifier(label), sql.Identifier(schema, name), _names(columns)
            )
        )


def _policies(table: ServedTable) -> list[tuple[str, str, str]]:
    """Name, role and condition of each policy; the name carries a hash of the condition."""
    # The sub-select is worked out once a statement, not once a row.
    own = "area_code = (select marts.county_of(current_user))"
    conditions = {"bi_reader": "true"}
    if table.row_policy == "none":
        conditions["county_reader"] = "true"
    elif table.row_policy == "audience":
        conditions["county_reader"] = f"audience = 'public' or {own}"
    elif "area_code" in table.column_names:
        conditions["county_reader"] = own
    return [
        (f"{role}_{hashlib.sha256(condition.encode()).hexdigest()[:10]}", role, condition)
        for role, condition in conditions.items()
    ]


def _protect(connection: psycopg.Connection[Any], schema: str, name: str, table: ServedTable) -> None:
    relation = sql.Identifier(schema, name)
    connection.execute(sql.SQL("grant select on {} to {}").format(relation, _readers()))
    wanted = _policies(table)
    present = _policies_of(connection, schema, name)
    row = connection.execute(
        "select relrowsecurity from pg_class where oid = to_regclass(%s)", [f'{schema}."{name}"']
    ).fetchone()
    if row is None or not row[0]:
        connection.execute(sql.SQL("alter table {} enable row level security").format(relation))
    for policy, role, condition in wanted:
        if policy not in present:
            connection.execute(
                sql.SQL("create policy {} on {} for select to {} using ({})").format(
                    sql.Identifier(policy), relation, sql.Identifier(role), sql.SQL(condition)
                )
            )
    for policy in present - {name for name, _, _ in wanted}:
        connection.execute(sql.SQL("drop policy {} on {}").format(sql.Identifier(policy), relation))


def _stamped_view(connection: psycopg.Connection[Any], stored: StoredTable, comment: str) -> None:
    table = stored.table
    present = _columns_of(connection, "marts", table.name)
    all_names = [*table.column_names, *(column.name for column in _RELEASE_COLUMNS)]
    # A column that the project no longer has stays where readers find it.
    ordered = [*present, *(name for name in all_names if name not in present)]
    relation = sql.Identifier("marts", table.name)
    if ordered != list(present):
        selected = [
            sql.SQL("(select max(release_id) from marts.dim_release) as release_id")
            if name == "release_id"
            else sql.SQL("s.{}").format(sql.Identifier(name))
            for name in ordered
        ]
        connection.execute(
            sql.SQL("create or replace view {} with (security_invoker = true) as select {} from {} as s").format(
                relation, sql.SQL(", ").join(selected), stored.rows
            )
        )
    connection.execute(sql.SQL("grant select on {} to {}").format(relation, _readers()))
    _comment(connection, "view", relation, comment)
    for column in (*table.columns, *_RELEASE_COLUMNS):
        _comment_column(connection, relation, column)


def _past_view(connection: psycopg.Connection[Any], stored: StoredTable, comment: str) -> None:
    table = stored.table
    name = f"{table.name}_at"
    present = _columns_of(connection, "history", name)
    wanted = [*table.column_names, "value_release_id"]
    ordered = [*present, *(column for column in wanted if column not in present)]
    relation = sql.Identifier("history", name)
    if ordered != list(present):
        past = [
            sql.SQL("release_from as value_release_id") if column == "value_release_id" else sql.Identifier(column)
            for column in ordered
        ]
        connection.execute(
            sql.SQL(
                "create or replace view {} with (security_invoker = true) as"
                " select {} from {} where value_release_id <= (select history.pinned_release())"
                " union all select {} from {} where release_from <= (select history.pinned_release())"
                " and release_to > (select history.pinned_release())"
            ).format(relation, _names(ordered), stored.rows, sql.SQL(", ").join(past), stored.past)
        )
    connection.execute(sql.SQL("grant select on {} to {}").format(relation, _readers()))
    _comment(connection, "view", relation, f"按 history.as_of 固定的发布 | as the pinned release said. {comment}")


def _lay_foundation(connection: psycopg.Connection[Any]) -> None:
    """Our own table and functions, unless they stand as written here already: doing so anew would lock out readers."""
    digest = hashlib.sha256(_FOUNDATION.encode()).hexdigest()[:16]
    row = connection.execute("select obj_description(to_regprocedure('marts.county_of(name)'), 'pg_proc')").fetchone()
    if row is None or row[0] != digest:
        connection.execute(_FOUNDATION)
        connection.execute(sql.SQL("comment on function marts.county_of(name) is {}").format(sql.Literal(digest)))


def _comment(connection: psycopg.Connection[Any], kind: str, relation: sql.Identifier, text: str) -> None:
    connection.execute(sql.SQL("comment on {} {} is {}").format(sql.SQL(kind), relation, sql.Literal(text)))


def _comment_column(connection: psycopg.Connection[Any], relation: sql.Identifier, column: ServedColumn) -> None:
    connection.execute(
        sql.SQL("comment on column {}.{} is {}").format(
            relation, sql.Identifier(column.name), sql.Literal(column.comment)
        )
    )


def _columns_of(connection: psycopg.Connection[Any], schema: str, name: str) -> dict[str, str]:
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [f'{schema}."{name}"'],
    ).fetchall()
    return {str(column): str(kind) for column, kind in rows}


def _policies_of(connection: psycopg.Connection[Any], schema: str, name: str) -> set[str]:
    rows = connection.execute(
        "select policyname from pg_policies where schemaname = %s and tablename = %s", [schema, name]
    ).fetchall()
    return {str(row[0]) for row in rows}


def _canonical_type(connection: psycopg.Connection[Any], declared: str) -> str:
    """A declared type as PostgreSQL prints it: ``numeric(18,4)`` for ``decimal(18, 4)``."""
    base, bracket, modifier = declared.partition("(")
    row = connection.execute("select to_regtype(%s)::text", [base.strip()]).fetchone()
    if row is None or row[0] is None:
        raise ReleaseError(f"PostgreSQL knows no type {declared!r}.", advice="mend the column's data_type.")
    return f"{row[0]}{bracket}{modifier.replace(' ', '')}"


def _names(columns: tuple[str, ...] | list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _readers() -> sql.Composed:
    return _names(READERS)
