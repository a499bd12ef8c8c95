{{ indicator_config() }}

with

colleges as (
    select * from {{ ref('dim_industry_college') }}
),

slices as (
    {{ affected_slices() }}
),

existing as (
    select
        colleges.college_id,
        colleges.kind as college_kind,
        slices.area_code,
        slices.period_type,
        slices.period_end
    from colleges
    inner join slices
        on
            colleges.county_code = slices.area_code
            and colleges.valid_from <= slices.period_end
            and (colleges.valid_until is null or colleges.valid_until >= slices.period_end)
),

broken_down as (
    {{ total_and_parts('existing', ['college_kind']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
