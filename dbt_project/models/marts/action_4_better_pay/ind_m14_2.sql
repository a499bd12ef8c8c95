{{ indicator_config() }}

with

area_medians as (
    select * from {{ ref('int_area_wage_median') }}
),

slices as (
    {{ affected_slices() }}
),

medians as (
    {{ in_slices('area_medians', match=['period_type', 'period_end']) }}
),

sides as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        max(median_cny_month) filter (where level_group = 'high') as high_median_cny_month,
        max(median_cny_month) filter (where level_group = 'basic') as basic_median_cny_month,
        coalesce(max(n_persons) filter (where level_group = 'high'), 0) as n_high,
        coalesce(max(n_persons) filter (where level_group = 'basic'), 0) as n_basic
    from medians
    where level_group in ('high', 'basic')
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        round(high_median_cny_month, 2) as numerator,
        round(basic_median_cny_month, 2) as denominator,
        round(high_median_cny_month / nullif(basic_median_cny_month, 0), 4) as value,
        least(n_high, n_basic) as n_persons
    from sides
)

{{ base_cells(['numerator', 'denominator', 'value', 'n_persons']) }}
