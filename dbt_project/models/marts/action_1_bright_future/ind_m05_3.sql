{{ indicator_config() }}

with

paid as (
    select *
    from {{ ref('int_training_payment') }}
    where net_paid_cny is not null
),

slices as (
    {{ affected_slices() }}
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('paid', area='residence_area_code', day='completion_date') }}
),

parts as (
    {{ total_and_parts('cohort', ['provider_type']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(net_paid_cny) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
