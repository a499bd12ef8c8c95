{{ indicator_config() }}

with

matched as (
    select *
    from {{ ref('int_matched_growth') }}
    where n_matched > 0
),

members as (
    {{ slice_members() }}
),

placed as (
    {{ in_members('matched', 'work_area_code', match=['period_end']) }}
),

parts as (
    {{ matched_growth_parts('placed') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        round(sum(growth_sum_pct) / sum(n_matched), 4) as numerator,
        round(sum(comparison_growth_sum_pct) / sum(n_matched), 4) as denominator,
        sum(n_matched) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
