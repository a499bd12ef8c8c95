{{ indicator_config() }}

with

channels as (
    select * from {{ ref('fct_guide_channel') }}
),

kinds as (
    select * from {{ ref('seed_guide_channel_kind') }}
),

slices as (
    {{ affected_slices() }}
),

-- each kind that is required of a county once, live or not
required as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        kinds.kind_code as channel_kind,
        exists(
            select 1
            from channels
            where
                channels.location_area_code = slices.area_code
                and channels.channel_kind = kinds.channel_kind
                and channels.live_from <= slices.period_end
                and (channels.live_to is null or channels.live_to >= slices.period_end)
        ) as is_live
    from slices
    inner join kinds
        on
            slices.period_end >= kinds.required_from
            and slices.period_end < kinds.required_to
    where slices.area_level = 'county'
),

broken_down as (
    {{ total_and_parts('required', ['channel_kind']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_live) as numerator,
        count(*) as denominator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator']) }}
