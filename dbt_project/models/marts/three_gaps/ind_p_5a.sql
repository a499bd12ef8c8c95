{{ indicator_config() }}

with

workshops as (
    select * from {{ ref('fct_prosperity_workshop') }}
),

slices as (
    {{ affected_slices() }}
),

employing as (
    select
        location_area_code,
        listed_on as period_end,
        -- an enterprise that takes part in several workshops is one
        coalesce(uscc, workshop_id) as employer,
        {{ workshop_kind() }} as workshop_kind,
        workers
    from workshops
    where
        is_running
        and workers > 0
),

in_period as (
    {{ in_slices('employing', area='location_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['workshop_kind']) }}
),

employers as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        employer,
        sum(workers) as workers
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value, employer
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(workers) as numerator,
        sum(workers) as n_persons,
        count(*) as n_employers,
        max(workers)::numeric / sum(workers) as largest_employer_share
    from employers
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
