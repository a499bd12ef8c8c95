{{ indicator_config() }}

with

records as (
    select * from {{ ref('int_training_payment') }}
),

slices as (
    {{ affected_slices() }}
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('records', area='residence_area_code', day='completion_date') }}
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
        count(net_paid_cny) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where net_paid_cny is not null) as n_numerator_persons,
        count(distinct person_id) filter (where net_paid_cny is null) as n_complement_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
