-- What the duty page may do, and nothing else: what its pages show is read, what people do there is written, column by
-- column. As role pipeline, in the warehouse, after each migration (`threegaps migrate`); takes back what stood here before.

select pg_advisory_xact_lock(7237020023);

do $$
declare
    place text;
begin
    if not exists (select from pg_roles where rolname = 'duty_desk') then
        create role duty_desk nologin;
    end if;
    execute format('grant connect on database %I to duty_desk', current_database());
    foreach place in array array['ops', 'quarantine'] loop
        execute format('revoke all on all tables in schema %I from duty_desk', place);
        execute format('grant usage on schema %I to duty_desk', place);
    end loop;
    -- Before the first release bi_reader has nothing there yet.
    grant usage on schema marts to duty_desk;
end
$$;

-- Feeds, what they owe, and how it came. Of marts and history, the group bi_reader reads all that is released.
grant select on
    ops.feed, ops.expected_delivery, ops.delivery_summary, ops.delivery_clock, ops.reporting_pause, ops.feed_totals,
    ops.attempt, ops.batch, ops.batch_object, ops.landed_object, ops.check_result, ops.acceptance,
    ops.acceptance_request, quarantine.refused_row
to duty_desk;
-- Of which version the ledger is: to one of another nothing is written.
grant select on ops.alembic_version to duty_desk;
-- What people are told and do.
grant select on ops.incident, ops.incident_change, ops.watch_pass, ops.ticket, ops.ticket_row to duty_desk;
-- Builds and releases, and what they were made of.
grant select on
    ops.build, ops.build_input, ops.build_touch, ops.touch, ops.release, ops.current_release, ops.hold,
    ops.indicator_input
to duty_desk;
grant execute on function ops.counties_of(text[]), quarantine.hold_open(text[], bigint[]) to duty_desk;

grant update (acknowledged_at, acknowledged_by, assigned_to, closed_at, closed_by, resolution) on ops.incident
to duty_desk;
grant insert (incident_id, change, changed_at, changed_by, note) on ops.incident_change to duty_desk;
grant insert (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256) on ops.ticket to duty_desk;
grant insert (ticket_id, row_token, batch_id) on ops.ticket_row to duty_desk;
grant update (answer, answered_by, answered_at) on ops.ticket to duty_desk;
grant insert (batch_id, rule, accepted_by, reason) on ops.acceptance_request to duty_desk;
