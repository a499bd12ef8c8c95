{{ indicator_config() }}

with

workshops as (
    select * from {{ ref('fct_prosperity_workshop') }}
),

slices as (
    {{ affected_slices() }}
),

running as (
    select
        location_area_code,
        listed_on as period_end,
        {{ workshop_kind() }} as workshop_kind
    from workshops
    where is_running
),

in_period as (
    {{ in_slices('running', area='location_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['workshop_kind']) }}
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
