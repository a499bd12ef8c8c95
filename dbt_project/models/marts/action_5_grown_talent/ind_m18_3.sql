{{ indicator_config() }}

with

results as (
    select * from {{ ref('fct_competition_result') }}
),

slices as (
    {{ affected_slices() }}
),

put_to_use as (
    select
        leading_area_code,
        dated_on,
        case kind
            when '教学标准' then 'teaching_standard'
            when '实训方式' then 'training_method'
            when '实训场地' then 'training_site'
        end as conversion_kind
    from results
),

in_period as (
    {{ in_slices('put_to_use', area='leading_area_code', day='dated_on') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['conversion_kind']) }}
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
