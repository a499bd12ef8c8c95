{{ indicator_config('G1-1') }}

with

incomes as (
    select * from {{ ref('fct_resident_income') }}
),

slices as (
    {{ affected_slices('G1-1') }}
),

-- figures run from 1 January: the fourth quarter is the year; 2013 and before were another survey
published as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        case when incomes.income_rural_cny is not null then incomes.income_urban_cny end as urban_cny,
        case when incomes.income_urban_cny is not null then incomes.income_rural_cny end as rural_cny,
        incomes.urban_rural_ratio_printed
    from incomes
    inner join slices
        on
            incomes.area_code = slices.area_code
            and incomes.period_end = slices.period_end
    where incomes.definition = 'integrated'
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        urban_cny as numerator,
        rural_cny as denominator,
        round(coalesce(urban_cny / rural_cny, urban_rural_ratio_printed), 4) as value,
        null as n_persons,
        null as n_employers,
        true as is_supplied
    from published
    where
        urban_cny is not null
        or urban_rural_ratio_printed is not null
)

{{ base_cells('G1-1') }}
