{{ indicator_config() }}

with

plans as (
    select * from {{ ref('fct_incentive_plan') }}
),

slices as (
    {{ affected_slices() }}
),

in_force as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        plans.uscc,
        plans.plan_kind as incentive_scheme,
        plans.high_skilled_members
    from plans
    inner join slices
        on
            plans.registration_area_code = slices.area_code
            and plans.valid_from <= slices.period_end
            and (plans.valid_to is null or plans.valid_to >= slices.period_end)
    where plans.plan_kind in ('01', '02', '03', '04')
),

broken_down as (
    {{ total_and_parts('in_force', ['incentive_scheme']) }}
),

-- null where none of an enterprise's filings says the number
reported as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        uscc,
        sum(high_skilled_members) as members
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value, uscc
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(members) as numerator,
        sum(members) as n_persons,
        count(members) as n_employers,
        -- of nobody none has most
        coalesce(max(members) / nullif(sum(members), 0), 0) as largest_employer_share,
        -- where no filing says the number, it was not supplied: it is not zero
        count(members) > 0 as is_supplied
    from reported
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons', 'n_employers', 'largest_employer_share', 'is_supplied']) }}
