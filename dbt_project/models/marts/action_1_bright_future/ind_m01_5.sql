{{ indicator_config('M01-5') }}

with

completed as (
    select * from {{ ref('int_completed_training') }}
),

slices as (
    {{ affected_slices('M01-5') }}
),

placed as (
    {{ in_slices('completed', area='residence_county_code', day='completion_date') }}
),

broken_down as (
    {{ total_and_by('placed', 'focus_sector') }}
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count(*) filter (where priority_groups is not null) as numerator,
        count(*) as denominator,
        null as value,
        count(distinct person_id) as n_persons,
        null as n_employers,
        true as is_supplied
    from broken_down
    group by area_code, period_type, period_start, breakdown, breakdown_value
)

{{ base_cells('M01-5') }}
