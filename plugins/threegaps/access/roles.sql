-- Roles of the server, once for all of its databases; as its superuser, after role pipeline is made. May be run again.
-- With psql: psql --file roles.sql --dbname postgres

do $$
declare
    group_name text;
begin
    foreach group_name in array array['bi_reader', 'county_reader', 'statistician', 'duty_desk'] loop
        if not exists (select from pg_roles where rolname = group_name) then
            execute format('create role %I nologin', group_name);
        end if;
    end loop;
end
$$;

-- The pipeline gives readers their logins, sees how long they ask, and ends what asks for too long; it is no superuser.
alter role pipeline createrole;
grant bi_reader, county_reader, statistician, duty_desk to pipeline with admin option;
grant pg_read_all_stats, pg_signal_backend to pipeline;
-- What statisticians ask is logged, with the values that a tool sends apart from it: settings that are the superuser's.
grant set on parameter log_statement, log_error_verbosity to pipeline;

do $$
declare
    name text;
begin
    -- Readers never take the last connections. PostgreSQL 15 has no such slots.
    if exists (select from pg_roles where rolname = 'pg_use_reserved_connections') then
        for name in select rolname from pg_roles where rolname in ('pipeline', 'airflow') loop
            execute format('grant pg_use_reserved_connections to %I', name);
        end loop;
    end if;
    -- Logins of readers that were made by hand are handed over: the pipeline gives them their limits and passwords. Before
    -- 16 whoever may make roles may do that without.
    if current_setting('server_version_num')::integer >= 160000 then
        for name in
            select login.rolname
            from pg_roles as login
            where login.rolcanlogin and not login.rolsuper and login.rolname <> 'pipeline'
                and (
                    -- Of the duty page's own, the groups are given by the pipeline.
                    login.rolname = 'threegaps_duty'
                    or exists (
                        select
                        from pg_roles as team
                        where team.rolname in ('bi_reader', 'county_reader', 'statistician', 'duty_desk')
                            and pg_has_role(login.oid, team.oid, 'member')
                    )
                )
        loop
            execute format('grant %I to pipeline with admin true, inherit false, set false', name);
        end loop;
    end if;
    -- Nobody has anything to do in the databases that the server brings.
    for name in select datname from pg_database where datname in ('postgres', 'template1') loop
        execute format('revoke all on database %I from public', name);
    end loop;
end
$$;
