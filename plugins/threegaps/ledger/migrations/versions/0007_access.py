"""The role ``statistician`` with its schema ``exact``, and limits of every session but the pipeline's.

Limits are the database's, so that they hold for every login, however it was made; role ``pipeline`` has its own.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'statistician') then
        begin
            create role statistician nologin;
        exception
            when insufficient_privilege then
                raise notice 'role statistician is missing and may not be created here';
            when duplicate_object or unique_violation then
                null;
        end;
    end if;
end
$$
"""

_SCHEMA = """
create schema if not exists exact;
comment on schema exact is
    '正在服务的发布的精确值,仅供统计人员查看,其语句记入日志 | exact values of what serves, for statisticians alone';
revoke all on schema public from public;
"""

_DATABASE = """
do $$
declare
    reader text;
    setting text;
begin
    execute format('revoke all on database %I from public', current_database());
    for reader in
        select rolname from pg_roles where rolname in ('bi_reader', 'county_reader', 'statistician')
    loop
        execute format('grant connect on database %I to %I', current_database(), reader);
    end loop;
    if exists (select from pg_roles where rolname = 'statistician') then
        grant usage on schema exact to statistician;
    end if;
    foreach setting in array array[
        'search_path = marts, history',
        'timezone = ''Asia/Shanghai''',
        'statement_timeout = ''5min''',
        'lock_timeout = ''30s''',
        'idle_in_transaction_session_timeout = ''5min''',
        'idle_session_timeout = ''12h'''
    ] loop
        execute format('alter database %I set %s', current_database(), setting);
    end loop;
    foreach setting in array array[
        'search_path = "$user", public',
        'statement_timeout = 0',
        'lock_timeout = 0',
        'idle_in_transaction_session_timeout = 0',
        'idle_session_timeout = 0'
    ] loop
        execute format('alter role pipeline in database %I set %s', current_database(), setting);
    end loop;
end
$$
"""


def upgrade() -> None:
    """Make role and schema, and set the limits."""
    op.execute(_ROLE)
    op.execute(_SCHEMA)
    op.execute(_DATABASE)
