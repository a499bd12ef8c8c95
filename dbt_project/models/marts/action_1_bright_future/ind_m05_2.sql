{{ indicator_config() }}

with

submissions as (
    select * from {{ ref('fct_first_submission') }}
),

slices as (
    {{ affected_slices() }}
),

-- what is received is counted by feed, not by county: all slices are the province's
provincial as (
    select
        '330000' as area_code,
        feed,
        delivery_end,
        rows_received,
        rows_accepted
    from submissions
),

in_period as (
    {{ in_slices('provincial', day='delivery_end') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['feed']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(rows_accepted) as numerator,
        sum(rows_received) as denominator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator']) }}
