{{ indicator_config() }}

with

subsidised as (
    select * from {{ ref('int_subsidised_training') }}
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_slices('subsidised', area='handling_area_code', day='completion_date') }}
),

parts as (
    {{ total_and_parts('placed', [
        'focus_sector', 'provider_type', 'sex', 'age_band', 'urban_rural', 'origin'
    ]) }}
),

groups as (
    {{ overlapping_parts('placed', 'placed.priority_groups', 'priority_group') }}
),

broken_down as (
    select * from parts
    union all
    select * from groups
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
