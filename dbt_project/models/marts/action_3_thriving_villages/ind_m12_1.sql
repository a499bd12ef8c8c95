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
        {{ workshop_kind() }} as workshop_kind,
        -- the list comes some days after: a training since then was held in a workshop that trains
        coalesce(last_training_on > listed_on - interval '12 months', false) as has_trained
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
        count(*) filter (where has_trained) as numerator,
        count(*) as denominator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator']) }}
