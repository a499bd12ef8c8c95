{{ indicator_config() }}

with

items as (
    select * from {{ ref('fct_special_ability_item') }}
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
    from items
    inner join slices
        on
            items.location_area_code = slices.area_code
            and items.valid_from <= slices.period_end
            and (items.valid_to is null or items.valid_to >= slices.period_end)
    group by slices.area_code, slices.period_type, slices.period_end
)

{{ base_cells(['numerator']) }}
