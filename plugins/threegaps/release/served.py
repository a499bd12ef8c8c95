"""Served tables, made from dbt's manifest: what readers name is permanent, and dbt owns none of it.

``apply_served`` only ever adds: schemas, tables, columns, indexes, policies, views. Nothing that a reader may name is
dropped, renamed or rebuilt; a type that changed is refused, since only a person can decide what becomes of those who
read it. A column that a model has withdrawn stays too, emptied, in the past as well. A key that changed is moved in
place.

``indicator_value`` says with each row which release serves it. Stored, that column would have to be rewritten in every
row at every release; so it is a view over ``indicator_value_stored`` that adds the newest release's number. The view
checks the reader's own rights (``security_invoker``), and rows and number come from one snapshot of one statement.

Figures before disclosure stand in the schema ``exact``; their past serves an undo alone, and nobody reads it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from threegaps.errors import ReleaseError
from threegaps.marts.manifest import Manifest, ServedColumn, ServedTable
from threegaps.release import county_value, keys, live, marks, named, reported, revisions, rights, views
from threegaps.release.views import columns_of, comment_on, comment_on_column, names

STAMPED = "indicator_value"
"""The table of ``marts`` that carries the serving release in each row, and whether its figure was revised."""
REVISED = ServedColumn(
    "is_revised",
    "boolean not null default false",
    "是否修订:定稿后又有变化 | revised: it changed after it was said as final",
)

_RELEASE_ID = ServedColumn("release_id", "bigint", "发布号:正在提供服务的发布 | the serving release")
_SAID_BY = ServedColumn(
    "value_release_id", "bigint not null", "最先给出此值的发布号 | the release that first said this value"
)
_FROM = ServedColumn("release_from", "bigint not null", "自此发布号起 | said from this release")
_TO = ServedColumn("release_to", "bigint not null", "至此发布号被替换 | replaced by this release")

# Who reads what is decided by functions and policies of the owner; readers have no right on the ledger itself.
_FOUNDATION = """
create table if not exists marts.dim_release (
    release_id bigint primary key,
    kind text not null,
    as_of date not null,
    released_at timestamptz not null,
    undoes_release_id bigint,
    note text,
    is_demonstration boolean not null default false
);
comment on table marts.dim_release is '发布:最大号即正在提供服务者 | releases; the highest number serves';
comment on column marts.dim_release.release_id is '发布号 | release';
comment on column marts.dim_release.kind is '种类(build建模,undo撤回) | kind: a build, or an undo of one';
comment on column marts.dim_release.as_of is '数据基准日 | the day that it looks from';
comment on column marts.dim_release.released_at is '发布时间 | when it was released';
comment on column marts.dim_release.undoes_release_id is '所撤回的发布号 | the release that it undoes';
comment on column marts.dim_release.note is '说明 | why';
comment on column marts.dim_release.is_demonstration is
    '是否演示:未作披露控制,不得引用 | a demonstration without disclosure control: not to be quoted';
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
    def label(self) -> str:
        """What the table is called where its schema goes without saying: ``exact`` is said."""
        return self.table.name if self.table.schema == "marts" else f"{self.table.schema}_{self.table.name}"

    @property
    def is_stamped(self) -> bool:
        """Whether readers see it through a view that adds the serving release."""
        return (self.table.schema, self.table.name) == ("marts", STAMPED)

    @property
    def name(self) -> str:
        """Name of the table of rows in its schema."""
        return f"{self.table.name}_stored" if self.is_stamped else self.table.name

    @property
    def rows(self) -> sql.Identifier:
        """The permanent table."""
        return sql.Identifier(self.table.schema, self.name)

    @property
    def past_name(self) -> tuple[str, str]:
        """Schema and name of the table of replaced rows."""
        if self.table.schema == "marts":
            return "history", self.table.name
        return self.table.schema, f"{self.table.name}_past"

    @property
    def past(self) -> sql.Identifier:
        """The table of replaced rows."""
        return sql.Identifier(*self.past_name)

    @property
    def pinned_name(self) -> tuple[str, str]:
        """Schema and name of the view of the rows that a pinned release said."""
        return self.past_name[0], f"{self.table.name}_at"

    @property
    def pinned(self) -> sql.Identifier:
        """The view of the rows that a pinned release said."""
        return sql.Identifier(*self.pinned_name)

    @property
    def built(self) -> sql.Identifier:
        """What dbt made."""
        return sql.Identifier(self.table.source_schema, self.table.source_name)

    @property
    def flags(self) -> tuple[ServedColumn, ...]:
        """Columns that the release itself keeps with each row, in the past too."""
        return (REVISED,) if self.is_stamped else ()


def stored_tables(manifest: Manifest) -> tuple[StoredTable, ...]:
    """Every served table of the project; the list of releases is none of them: ``apply_served`` makes it itself."""
    return tuple(StoredTable(table) for table in manifest.served)


def apply_served(dsn: str, manifest: Manifest, *, is_synthetic: bool = True) -> None:
    """Bring served tables and the views over them to what the manifest says; may be repeated.

    Nothing that is served says anything else after it: what the comments say of the figures changes with a release.

    Args:
        dsn: The warehouse, as its owner.
        manifest: The parsed dbt project.
        is_synthetic: Say in the comment of each relation with figures that they are synthetic.

    Raises:
        ReleaseError: A column's type differs from the served one, or a key cannot be moved.
    """
    mark = marks.SYNTHETIC if is_synthetic else ""
    with psycopg.connect(dsn) as connection:
        # New columns wait for readers a moment at most, and readers never longer than that for them.
        connection.execute("set local lock_timeout = '10s'")
        for schema in ("marts", "history", "exact"):
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        _lay_foundation(connection)
        rights.open_schemas(connection)
        for stored in stored_tables(manifest):
            _apply_table(connection, stored, mark=mark)
        for apply_views in (
            named.apply_named, reported.apply_reported, revisions.apply_revisions, county_value.apply_county_value,
        ):  # fmt: skip
            apply_views(connection, manifest, mark=mark)
        live.apply_live(connection)
        marks.mark_demonstration(connection, is_demonstration=marks.serves_demonstration(connection))


def _apply_table(connection: psycopg.Connection[Any], stored: StoredTable, *, mark: str) -> None:
    table = stored.table
    comment = f"{table.comment}{mark if table.is_synthetic_in_sandbox else ''}"
    past_comment = f"被替换的行,自发布 release_from 起至 release_to 止 | replaced rows. {comment}"
    for (schema, name), tail, said in (
        ((table.schema, stored.name), (_SAID_BY, *stored.flags), comment),
        (stored.past_name, (_FROM, _TO, *stored.flags), past_comment),
    ):
        is_past = (schema, name) == stored.past_name
        relation = sql.Identifier(schema, name)
        present = columns_of(connection, schema, name)
        if not present:
            _create(connection, relation, table, tail, is_keyed=not is_past)
        else:
            _add_columns(connection, relation, table, tail, present)
            _empty_withdrawn(connection, relation, table, present)
            if not set(table.key) <= present.keys():
                keys.fill_key(connection, relation, table, present)
            if not is_past:
                keys.move_key(connection, relation, table)
        _index(connection, schema, name, [(*table.key, _FROM.name)] if is_past else list(table.indexes))
        rights.protect(connection, schema, name, table)
        comment_on(connection, "table", relation, said)
        for column in (*table.columns, *tail):
            comment_on_column(connection, relation, column)
    if stored.is_stamped:
        _stamped_view(connection, stored, comment)
    _pinned_view(connection, stored, comment)


def _create(
    connection: psycopg.Connection[Any],
    relation: sql.Identifier,
    table: ServedTable,
    tail: tuple[ServedColumn, ...],
    *,
    is_keyed: bool,
) -> None:
    columns = [_definition(column) for column in (*table.columns, *tail)]
    if is_keyed:
        columns.append(sql.SQL("primary key ({})").format(names(table.key)))
    # Room in each page, so that a changed row stays where it is.
    connection.execute(
        sql.SQL("create table {} ({}) with (fillfactor = 85)").format(relation, sql.SQL(", ").join(columns))
    )


def _definition(column: ServedColumn) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))


def _add_columns(
    connection: psycopg.Connection[Any],
    relation: sql.Identifier,
    table: ServedTable,
    tail: tuple[ServedColumn, ...],
    present: dict[str, str],
) -> None:
    for column in (*table.columns, *tail):
        if column.name not in present:
            connection.execute(sql.SQL("alter table {} add column {}").format(relation, _definition(column)))
    for column in table.columns:
        kind = _canonical_type(connection, column.data_type)
        if present.get(column.name, kind) != kind:
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
            comment_on_column(connection, relation, ServedColumn(name, present[name], views.WITHDRAWN))


def _index(connection: psycopg.Connection[Any], schema: str, name: str, wanted: list[tuple[str, ...]]) -> None:
    labels = set()
    for columns in wanted:
        label = f"{name}_by_{'_'.join(columns)}"
        if len(label) > 60:
            label = f"{name[:40]}_by_{hashlib.sha256(label.encode()).hexdigest()[:12]}"
        labels.add(label)
        connection.execute(
            sql.SQL("create index if not exists {} on {} ({})").format(
                sql.Identifier(label), sql.Identifier(schema, name), names(columns)
            )
        )
    # Indexes of an earlier key serve nobody; readers do not name them.
    present = connection.execute(
        "select indexname from pg_indexes where schemaname = %s and tablename = %s and starts_with(indexname, %s)",
        [schema, name, f"{name[:40]}_by_"],
    ).fetchall()
    for (label,) in present:
        if label not in labels:
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(schema, label)))


def _stamped_view(connection: psycopg.Connection[Any], stored: StoredTable, comment: str) -> None:
    table = stored.table
    body = sql.SQL("select s.*, (select max(release_id) from marts.dim_release) as release_id from {} as s").format(
        stored.rows
    )
    views.ensure_view(
        connection,
        (table.schema, table.name),
        body,
        (*table.columns, _RELEASE_ID, _SAID_BY, *stored.flags),
        comment=comment,
        readers=rights.readers_of(table),
    )


def _pinned_view(connection: psycopg.Connection[Any], stored: StoredTable, comment: str) -> None:
    table = stored.table
    columns = (*table.columns, _SAID_BY, *stored.flags)
    listed = names([column.name for column in (*table.columns, *stored.flags)])
    body = sql.SQL(
        "select {columns}, value_release_id from {rows} where value_release_id <= (select history.pinned_release())"
        " union all select {columns}, release_from from {past}"
        " where release_from <= (select history.pinned_release())"
        " and release_to > (select history.pinned_release())"
    ).format(columns=listed, rows=stored.rows, past=stored.past)
    views.ensure_view(
        connection,
        stored.pinned_name,
        body,
        columns,
        comment=f"按 history.as_of 固定的发布 | as the pinned release said. {comment}",
        readers=rights.readers_of(table) if table.schema == "marts" else (),
    )


def _lay_foundation(connection: psycopg.Connection[Any]) -> None:
    """Our own table and functions, unless they stand as written here already: doing so anew would lock out readers."""
    digest = hashlib.sha256(_FOUNDATION.encode()).hexdigest()[:16]
    row = connection.execute("select obj_description(to_regprocedure('marts.county_of(name)'), 'pg_proc')").fetchone()
    if row is None or row[0] != digest:
        connection.execute(_FOUNDATION)
        connection.execute(sql.SQL("comment on function marts.county_of(name) is {}").format(sql.Literal(digest)))


def _canonical_type(connection: psycopg.Connection[Any], declared: str) -> str:
    """A declared type as PostgreSQL prints it: ``numeric(18,4)`` for ``decimal(18, 4)``."""
    base, bracket, modifier = declared.partition("(")
    row = connection.execute("select to_regtype(%s)::text", [base.strip()]).fetchone()
    if row is None or row[0] is None:
        raise ReleaseError(f"PostgreSQL knows no type {declared!r}.", advice="mend the column's data_type.")
    return f"{row[0]}{bracket}{modifier.replace(' ', '')}"
