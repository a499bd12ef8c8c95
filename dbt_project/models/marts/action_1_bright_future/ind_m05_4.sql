{{ indicator_config() }}

with

directories as (
    select * from {{ ref('int_recent_directory') }}
),

slices as (
    {{ affected_slices() }}
),

counties as (
    {{ counties_with_directory('directories', kind='01') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        has_directory::integer as numerator,
        1 as denominator
    from counties
)

{{ base_cells(['numerator', 'denominator']) }}
