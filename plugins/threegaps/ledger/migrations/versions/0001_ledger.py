"""Schemas, roles, the ledger and the quarantine.

Revision ID: 0001
Revises: None
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("ops", "raw", "raw_history", "quarantine", "staging", "core", "build", "marts", "history")

# A role is made where we may; where we may not, whoever runs the server makes it, and grants simply wait for it.
_ROLES = """
do $$
declare
    role_name text;
begin
    foreach role_name in array array['pipeline', 'bi_reader', 'county_reader'] loop
        if not exists (select 1 from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                when insufficient_privilege then
                    raise notice 'role % is missing and may not be created here', role_name;
                when duplicate_object or unique_violation then
                    null;
            end;
        end if;
    end loop;
end
$$
"""

_TABLES = """
create table ops.landed_object (
    landed_object_id bigint generated always as identity primary key,
    feed text not null,
    delivery text not null,
    part text not null,
    arrival_number integer not null check (arrival_number > 0),
    source_name text not null,
    uri text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    is_correction boolean not null default false,
    fetched_at timestamptz not null default now(),
    source_modified_at timestamptz,
    watermark_from text,
    watermark_to text,
    copies_ended_at timestamptz,
    unique (feed, delivery, part, arrival_number)
);
comment on table ops.landed_object is
    'What departments sent, byte for byte: one row an arrival of a part of a delivery.';
comment on column ops.landed_object.arrival_number is
    'Counts the arrivals of this part: A, then B, then A again are three.';
comment on column ops.landed_object.copies_ended_at is
    'When the retention period ended the copy; the bytes are gone, the hash stays.';

create table ops.batch (
    batch_id bigint generated always as identity primary key,
    feed text not null,
    delivery text not null,
    status text not null check (status in ('judging', 'loaded', 'stopped', 'failed', 'superseded')),
    contract_hash text not null,
    code_version text not null,
    pseudonym_key_version text not null,
    place_number bigint,
    supersedes_batch_id bigint references ops.batch,
    is_complete boolean not null default false,
    physical_lines bigint,
    structural bigint,
    received bigint,
    accepted bigint,
    refused bigint,
    duplicates bigint,
    inserted bigint,
    changed bigint,
    unchanged bigint,
    withdrawn bigint,
    closed_by_absence bigint,
    structural_reasons jsonb not null default '{}',
    normalisations jsonb not null default '{}',
    source_columns jsonb,
    stop_rule text,
    message_en text,
    message_zh text,
    watermark_from text,
    watermark_to text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    constraint batch_lines_balance check (physical_lines = structural + received),
    constraint batch_rows_balance check (received = accepted + refused + duplicates),
    constraint batch_accepted_balance
        check (status not in ('loaded', 'superseded') or accepted = inserted + changed + unchanged + withdrawn)
);
create index batch_by_feed on ops.batch (feed, delivery, batch_id);
comment on table ops.batch is
    'One judgement each: landed objects under a contract, a code version and a pseudonym key version.';
comment on column ops.batch.place_number is
    'Place in the order of batches; a batch that supersedes another takes over its place.';
comment on column ops.batch.closed_by_absence is
    'Rows closed because a complete delivery no longer has them; not among the accepted rows.';

create table ops.batch_object (
    batch_id bigint not null references ops.batch,
    landed_object_id bigint not null references ops.landed_object,
    primary key (batch_id, landed_object_id)
);
create index batch_object_by_object on ops.batch_object (landed_object_id);

create table ops.check_result (
    batch_id bigint not null references ops.batch,
    rule text not null,
    expectation text not null,
    column_name text,
    action text not null,
    evaluated bigint not null,
    unexpected bigint not null,
    outcome text not null check (outcome in ('passed', 'refused_rows', 'warned', 'stopped')),
    is_certified boolean not null default false,
    primary key (batch_id, rule)
);

create table ops.watermark (
    feed text primary key,
    watermark text not null,
    batch_id bigint references ops.batch,
    updated_at timestamptz not null default now()
);

create table ops.touch (
    touch_id bigint generated always as identity primary key,
    cause text not null check (cause in ('batch', 'seed', 'model', 'as_of')),
    batch_id bigint references ops.batch,
    feed text,
    model text,
    county_code text not null,
    period_from date not null,
    period_to date not null,
    created_at timestamptz not null default now(),
    check (period_from <= period_to),
    check ((cause = 'batch') = (batch_id is not null))
);
create index touch_by_batch on ops.touch (batch_id);
comment on table ops.touch is
    'Which counties and periods something spoke of, before and after it; county * is every county.';

create table ops.build (
    build_id bigint generated always as identity primary key,
    status text not null check (status in ('claimed', 'running', 'built', 'released', 'failed', 'nothing_to_do')),
    kind text not null check (kind in ('affected', 'full')),
    as_of date not null,
    requested_by text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    message text
);
create unique index build_one_running on ops.build ((true)) where status = 'running';

create view ops.build_now as
select build_id, as_of, kind from ops.build where status = 'running';
comment on view ops.build_now is 'The one build that is running: its number, date and kind for dbt.';

create table ops.build_input (
    build_id bigint not null references ops.build,
    batch_id bigint not null references ops.batch,
    primary key (build_id, batch_id)
);
create index build_input_by_batch on ops.build_input (batch_id);

create table ops.build_touch (
    build_id bigint not null references ops.build,
    touch_id bigint not null references ops.touch,
    primary key (build_id, touch_id)
);
create index build_touch_by_touch on ops.build_touch (touch_id);

create table ops.affected (
    build_id bigint not null references ops.build,
    indicator_code text not null,
    area_code text not null,
    period_start date not null,
    period_end date not null
);
create index affected_by_build on ops.affected (build_id, indicator_code);
comment on table ops.affected is 'The slices that a build makes anew; area * is every area.';

create table ops.build_action (
    build_id bigint not null references ops.build,
    action text not null,
    status text not null check (status in ('passed', 'failed', 'skipped')),
    models integer not null default 0,
    failures integer not null default 0,
    message text,
    primary key (build_id, action)
);

create table ops.release (
    release_id bigint generated always as identity primary key,
    build_id bigint references ops.build,
    kind text not null check (kind in ('build', 'undo')),
    undoes_release_id bigint references ops.release,
    as_of date not null,
    released_at timestamptz not null default now(),
    cells_inserted integer not null default 0,
    cells_changed integer not null default 0,
    cells_removed integer not null default 0,
    note text
);

create table ops.current_release (
    only_row boolean primary key default true check (only_row),
    release_id bigint not null references ops.release
);

create table ops.hold (
    hold_id bigint generated always as identity primary key,
    batch_id bigint references ops.batch,
    model text,
    held_by_release_id bigint references ops.release,
    held_at timestamptz not null default now(),
    freed_at timestamptz,
    check (batch_id is not null or model is not null)
);

create table ops.county_reader (
    role_name text primary key,
    county_code text not null check (county_code ~ '^\\d{6}$')
);
comment on table ops.county_reader is 'Which login role sees the rows of which county.';

create table quarantine.refused_row (
    row_token text not null,
    batch_id bigint not null references ops.batch,
    feed text not null,
    delivery text not null,
    landed_object_id bigint not null references ops.landed_object,
    row_number integer not null,
    county_code text not null,
    row_data jsonb not null,
    reasons jsonb not null,
    refused_at timestamptz not null default now(),
    closed_by_batch_id bigint references ops.batch,
    primary key (row_token, batch_id)
);
create index refused_row_by_batch on quarantine.refused_row (batch_id, row_number);
create index refused_row_open on quarantine.refused_row (feed, county_code) where closed_by_batch_id is null;
comment on table quarantine.refused_row is
    'Rows that broke a rule, with every rule that they broke; document numbers are replaced by their pseudonym.';
"""


def upgrade() -> None:
    """Make schemas, roles and the ledger's tables."""
    op.execute(_ROLES)
    for schema in SCHEMAS:
        op.execute(f"create schema if not exists {schema}")
    op.execute(_TABLES)
