{{ indicator_config() }}

with

incomes as (
    select * from {{ ref('fct_resident_income') }}
),

slices as (
    {{ affected_slices() }}
),

-- figures run from 1 January: the fourth quarter is the year; 2013 and before were another survey
integrated as (
    select
        area_code,
        period_end,
        case when income_rural_cny is not null then income_urban_cny end as urban_cny,
        case when income_urban_cny is not null then income_rural_cny end as rural_cny,
        urban_rural_ratio_printed,
        basis
    from incomes
    where definition = 'integrated'
),

published as (
    {{ in_slices('integrated', match=['period_end']) }}
),

-- a printed ratio is rounded: it stands only where the incomes are not published, and says so; as does what was never
-- published but worked out from other figures that were
cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        urban_cny as numerator,
        rural_cny as denominator,
        coalesce(round(urban_cny / rural_cny, 4), urban_rural_ratio_printed) as value,
        case
            when basis = 'derived' then 'derived'
            when urban_cny is null then 'printed'
            else 'computed'
        end as source_kind
    from published
    where
        urban_cny is not null
        or urban_rural_ratio_printed is not null
)

{{ base_cells(['numerator', 'denominator', 'value', 'source_kind']) }}
