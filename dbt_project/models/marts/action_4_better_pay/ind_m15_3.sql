{{ indicator_config() }}

with

plans as (
    select * from {{ ref('fct_incentive_plan') }}
),

slices as (
    {{ affected_slices() }}
),

-- an enterprise that has an annuity of its own and one of a park counts with its own
with_annuity as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        plans.uscc,
        case when bool_or(plans.plan_kind = '05') then 'own' else 'pooled' end as annuity
    from plans
    inner join slices
        on
            plans.registration_area_code = slices.area_code
            and plans.valid_from <= slices.period_end
            and (plans.valid_to is null or plans.valid_to >= slices.period_end)
    where
        plans.plan_kind in ('05', '06')
        and plans.covers_high_skilled
    group by slices.area_code, slices.period_type, slices.period_end, plans.uscc
),

broken_down as (
    {{ total_and_parts('with_annuity', ['annuity']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(*) as n_employers,
        1.0 / count(*) as largest_employer_share
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_employers', 'largest_employer_share']) }}
