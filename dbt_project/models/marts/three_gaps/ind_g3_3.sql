{#- Where more of the lowest wages sit on the floor of contributions, their growth is that of the floor. -#}
{%- set largest_floored_share = 0.3 -%}
{{ indicator_config() }}

with

wage_spread as (
    select * from {{ ref('int_area_wage_spread') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

slices as (
    {{ affected_slices() }}
),

-- half a year before is no year before
with_base as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        dim_period.prior_year_end
    from slices
    inner join dim_period
        on
            slices.period_type = dim_period.period_type
            and slices.period_end = dim_period.period_end
    inner join covered_periods
        on
            slices.period_type = covered_periods.period_type
            and dim_period.prior_year_end = covered_periods.period_end
            and covered_periods.indicator_code = '{{ indicator_code() }}'
),

growth as (
    select
        with_base.area_code,
        with_base.period_type,
        with_base.period_end,
        least(now.n_bottom, before.n_bottom) as n_persons,
        100 * (now.bottom_mean_cny_month / before.bottom_mean_cny_month - 1) as bottom_growth_pct,
        100 * (now.mean_cny_month / before.mean_cny_month - 1) as growth_pct,
        greatest(
            now.bottom_floored_records / now.bottom_records,
            before.bottom_floored_records / before.bottom_records
        ) <= {{ largest_floored_share }} as is_applicable
    from with_base
    inner join wage_spread as now
        on
            with_base.area_code = now.area_code
            and with_base.period_end = now.period_end
            and with_base.period_end = now.year_end
    inner join wage_spread as before
        on
            with_base.area_code = before.area_code
            and with_base.period_end = before.period_end
            and with_base.prior_year_end = before.year_end
    where least(now.n_bottom, before.n_bottom) > 0
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        n_persons,
        case when is_applicable then round(bottom_growth_pct, 4) end as numerator,
        case when is_applicable then round(growth_pct, 4) end as denominator
    from growth
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
