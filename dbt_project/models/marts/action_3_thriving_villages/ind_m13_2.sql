{{ indicator_config() }}

with

programmes as (
    select * from {{ ref('dim_vocational_programme') }}
),

slices as (
    {{ affected_slices() }}
),

-- a school that gave a specialty up and took it up again has it once
taught as (
    select distinct
        programmes.school_code,
        programmes.programme_code,
        slices.area_code,
        slices.period_type,
        slices.period_end
    from programmes
    inner join slices
        on
            programmes.school_county_code = slices.area_code
            and programmes.valid_from <= slices.period_end
            and (programmes.valid_until is null or programmes.valid_until >= slices.period_end)
    where programmes.is_rural_industry
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) as numerator
    from taught
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator']) }}
