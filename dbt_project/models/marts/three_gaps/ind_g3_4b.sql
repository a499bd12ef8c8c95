{{ indicator_config() }}

with

matched as (
    select *
    from {{ ref('int_matched_growth') }}
    where n_matched > 0
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

slices as (
    {{ affected_slices() }}
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

open_slices as (
    {{ open_slices() }}
),

unknown as (
    {{ unknown_cells('open_slices') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(base_sum_cny) as numerator,
        sum(comparison_base_sum_cny) as denominator,
        sum(n_matched) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
    union all
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        null as numerator,
        null as denominator,
        null as n_persons
    from unknown
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
