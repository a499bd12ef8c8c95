{{ indicator_config() }}

with

chains as (
    select * from {{ ref('fct_skill_chain') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) as numerator
    from chains
    inner join slices
        on
            chains.location_area_code = slices.area_code
            and chains.valid_from <= slices.period_end
            and (chains.valid_to is null or chains.valid_to >= slices.period_end)
    group by slices.area_code, slices.period_type, slices.period_end
)

{{ base_cells(['numerator']) }}
