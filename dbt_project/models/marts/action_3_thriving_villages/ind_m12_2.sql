{{ indicator_config() }}

with

workshops as (
    select * from {{ ref('fct_prosperity_workshop') }}
),

slices as (
    {{ affected_slices() }}
),

reporting as (
    select
        location_area_code,
        listed_on as period_end,
        -- an enterprise that takes part in several workshops is one
        coalesce(uscc, workshop_id) as employer,
        workers,
        workers * monthly_gain_cny as gain_cny_month
    from workshops
    where
        is_running
        and monthly_gain_cny is not null
        and workers > 0
),

in_period as (
    {{ in_slices('reporting', area='location_area_code', match=['period_end']) }}
),

employers as (
    select
        area_code,
        period_type,
        period_end,
        employer,
        sum(workers) as workers,
        sum(gain_cny_month) as gain_cny_month
    from in_period
    group by area_code, period_type, period_end, employer
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        sum(gain_cny_month) as numerator,
        sum(workers) as denominator,
        sum(workers) as n_persons,
        count(*) as n_employers,
        greatest(
            max(workers)::numeric / sum(workers),
            max(gain_cny_month) / nullif(sum(gain_cny_month), 0)
        ) as largest_employer_share
    from employers
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
