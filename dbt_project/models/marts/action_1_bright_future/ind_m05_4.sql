{{ indicator_config() }}

with

directories as (
    select * from {{ ref('int_recent_directory') }}
),

slices as (
    {{ affected_slices() }}
),

-- each county once, whether it has a directory or not
counties as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        exists(
            select 1
            from directories
            where
                {{ is_county_or_its_city('directories.issuing_area_code', 'slices.area_code') }}
                and directories.period_end = slices.period_end
                and directories.directory_kind = '01'
        ) as has_directory
    from slices
    where slices.area_level = 'county'
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
