{{ indicator_config() }}

with

returns as (
    select * from {{ ref('fct_state_enterprise_year') }}
),

slices as (
    {{ affected_slices() }}
),

in_scope as (
    select
        *,
        year_end as period_end
    from returns
    where in_scope
),

in_period as (
    {{ in_slices('in_scope', area='registration_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['owner_level']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where has_skill_sequence) as numerator,
        count(*) as denominator,
        count(*) as n_employers,
        1.0 / count(*) as largest_employer_share
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_employers', 'largest_employer_share']) }}
