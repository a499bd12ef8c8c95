{{ indicator_config() }}

{#- Filings without the number of high-skilled members would bias the share down: so many members must be told. -#}
{%- set fewest_told = 0.9 -%}

with

plans as (
    select * from {{ ref('fct_incentive_plan') }}
),

workforce as (
    select * from {{ ref('int_area_workforce') }}
),

members as (
    {{ slice_members() }}
),

slices as (
    {{ affected_slices() }}
),

areas as (
    select *
    from slices
    where area_level in ('city', 'province')
),

annuities as (
    select
        members.area_code,
        members.period_type,
        members.period_end,
        plans.uscc,
        sum(plans.members) as n_members,
        sum(plans.members) filter (where plans.high_skilled_members is not null) as n_members_told,
        sum(plans.high_skilled_members) as n_high_skilled
    from plans
    inner join members
        on
            plans.registration_area_code = members.county_code
            and plans.valid_from <= members.period_end
            and (plans.valid_to is null or plans.valid_to >= members.period_end)
    where plans.plan_kind in ('05', '06')
    group by members.area_code, members.period_type, members.period_end, plans.uscc
),

reported as (
    select
        area_code,
        period_type,
        period_end,
        sum(n_members) as n_members,
        coalesce(sum(n_members_told), 0) as n_members_told,
        coalesce(sum(n_high_skilled), 0) as n_high_skilled,
        count(n_high_skilled) as n_employers,
        max(n_high_skilled) / nullif(sum(n_high_skilled), 0) as largest_employer_share
    from annuities
    group by area_code, period_type, period_end
),

employed as (
    {{ in_slices('workforce', match=['period_end']) }}
),

compared as (
    select
        areas.area_code,
        areas.period_type,
        areas.period_end,
        coalesce(reported.n_high_skilled, 0) as n_reported,
        coalesce(employed.n_high_skilled, 0) as n_high_skilled,
        coalesce(reported.n_employers, 0) as n_employers,
        reported.largest_employer_share,
        -- where more are reported than are registered, the two do not fit together
        coalesce(
            reported.n_members_told >= {{ fewest_told }} * reported.n_members
            and reported.n_high_skilled <= coalesce(employed.n_high_skilled, 0),
            true
        ) as is_supplied
    from areas
    left join employed
        on
            areas.area_code = employed.area_code
            and areas.period_type = employed.period_type
            and areas.period_end = employed.period_end
            and employed.breakdown = 'total'
    left join reported
        on
            areas.area_code = reported.area_code
            and areas.period_type = reported.period_type
            and areas.period_end = reported.period_end
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        case when is_supplied then n_reported end as numerator,
        n_high_skilled as denominator,
        n_high_skilled as n_persons,
        n_employers,
        largest_employer_share,
        is_supplied
    from compared
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share', 'is_supplied']) }}
