{{ indicator_config() }}

with

incomes as (
    select * from {{ ref('fct_resident_income') }}
),

slices as (
    {{ affected_slices() }}
),

-- figures run from 1 January: the fourth quarter is the year; 2013 and before were another survey
published as (
    select
        area_code,
        period_end,
        growth_all_pct,
        growth_urban_pct,
        growth_rural_pct
    from incomes
    where definition = 'integrated'
),

in_period as (
    {{ in_slices('published', match=['period_end']) }}
),

parts as (
    select
        in_period.area_code,
        in_period.period_type,
        in_period.period_end,
        part.breakdown,
        part.breakdown_value,
        part.value
    from in_period
    cross join lateral (
        values
        ('total', 'total', in_period.growth_all_pct),
        ('residents', 'urban', in_period.growth_urban_pct),
        ('residents', 'rural', in_period.growth_rural_pct)
    ) as part (breakdown, breakdown_value, value)
),

cells as (
    select *
    from parts
    where value is not null
)

{{ base_cells(['value']) }}
