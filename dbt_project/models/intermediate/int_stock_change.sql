with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

villages as (
    select * from {{ ref('fct_skill_village') }}
),

ecosystems as (
    select * from {{ ref('fct_skill_ecosystem') }}
),

chains as (
    select * from {{ ref('fct_skill_chain') }}
),

equivalences as (
    select * from {{ ref('fct_certificate_equivalence') }}
),

recognised as (
    select
        'enterprises' as roster,
        county_code as area_code,
        recognised_on,
        status,
        revoked_on
    from enterprises
    union all
    select
        'villages' as roster,
        location_area_code as area_code,
        recognised_on,
        status,
        revoked_on
    from villages
),

in_force as (
    select
        'ecosystems-in-and-out' as identity_code,
        location_area_code as area_code,
        approved_on as first_day,
        ended_on as last_day
    from ecosystems
    union all
    select
        'chains-in-and-out' as identity_code,
        location_area_code as area_code,
        valid_from as first_day,
        valid_to as last_day
    from chains
    union all
    select
        'equivalences-in-and-out' as identity_code,
        issue_area_code as area_code,
        valid_from as first_day,
        valid_to as last_day
    from equivalences
),

changes as (
    select
        roster || '-recognised' as identity_code,
        area_code,
        recognised_on as changed_on,
        1 as change
    from recognised
    union all
    -- a revocation without a day holds from the recognition on
    select
        roster || '-revoked' as identity_code,
        area_code,
        greatest(recognised_on, revoked_on) as changed_on,
        1 as change
    from recognised
    where status = '已撤销'
    union all
    select
        identity_code,
        area_code,
        first_day as changed_on,
        1 as change
    from in_force
    union all
    -- the last day is one of it
    select
        identity_code,
        area_code,
        last_day + 1 as changed_on,
        -1 as change
    from in_force
    where last_day is not null
)

select
    identity_code,
    area_code,
    changed_on,
    sum(change) as change
from changes
group by identity_code, area_code, changed_on
