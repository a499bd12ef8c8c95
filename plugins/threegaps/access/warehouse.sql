-- What only the server's superuser can close in the warehouse's database, in which this runs; after roles.sql. May be
-- run again, and must be after an upgrade of the server's major version.
-- With psql: psql --file warehouse.sql --dbname warehouse

-- By default everybody may take advisory locks (builds, loads and migrations hold theirs), store large objects, write to
-- the log of changes, and fill the queue of notifications.
do $$
declare
    called regprocedure;
begin
    for called in
        select p.oid
        from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace
            and (p.proname ~ '^(pg_(try_)?advisory_|lo_)'
                or p.proname in ('loread', 'lowrite', 'pg_logical_emit_message', 'pg_notify'))
            and has_function_privilege('public', p.oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', called);
    end loop;
    for called in
        select p.oid
        from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ '^pg_(try_)?advisory_'
    loop
        execute format('grant execute on function %s to pipeline', called);
    end loop;
    -- What a statement may spill to disk; unlike its other limits, a session cannot lift this one.
    execute format('alter database %I set temp_file_limit = ''4GB''', current_database());
    execute format('alter role pipeline in database %I set temp_file_limit = -1', current_database());
end
$$;

-- A reader may change the password of the own login. Whether it did is all that the pipeline learns: no more than that, and
-- of readers alone.
create schema if not exists access;
revoke all on schema access from public;
grant usage on schema access to pipeline;
create or replace function access.password_is(login name, verifier text) returns boolean
    language sql stable security definer set search_path = '' as
    $$
    select coalesce(r.rolpassword = verifier, false)
    from pg_catalog.pg_authid as r
    where r.rolname = login and not r.rolsuper and r.rolname <> 'pipeline'
        and exists (
            select
            from pg_catalog.pg_authid as g
            where g.rolname in ('bi_reader', 'county_reader', 'statistician', 'duty_desk')
                and pg_catalog.pg_has_role(r.oid, g.oid, 'member')
        )
    $$;
revoke all on function access.password_is(name, text) from public;
grant execute on function access.password_is(name, text) to pipeline;
