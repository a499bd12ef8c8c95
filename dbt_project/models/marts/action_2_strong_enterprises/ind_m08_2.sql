{{ indicator_config() }}

with

employees as (
    select * from {{ ref('int_skill_enterprise_employee') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('employees', area='county_code', match=['period_end']) }}
),

by_enterprise as (
    select
        area_code,
        period_type,
        period_end,
        uscc,
        count(*) as n_employees,
        count(*) filter (where is_certified) as n_certified,
        count(*) filter (where is_levelled) as n_levelled,
        count(*) filter (where is_high_skilled) as n_high_skilled
    from in_period
    group by area_code, period_type, period_end, uscc
),

-- the same employees, and of them those with any certificate, with a level, or at level 3 or above
broken_down as (
    select
        by_enterprise.area_code,
        by_enterprise.period_type,
        by_enterprise.period_end,
        by_enterprise.n_employees,
        part.breakdown,
        part.breakdown_value,
        part.n_holders
    from by_enterprise
    cross join
        lateral (
            values
            ('total', 'total', by_enterprise.n_certified),
            ('levelled', 'levelled', by_enterprise.n_levelled),
            ('high_skilled', 'high_skilled', by_enterprise.n_high_skilled)
        ) as part (breakdown, breakdown_value, n_holders)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(n_holders) as numerator,
        sum(n_employees) as denominator,
        sum(n_employees) as n_persons,
        count(*) as n_employers,
        greatest(
            max(n_employees)::numeric / sum(n_employees),
            max(n_holders)::numeric / nullif(sum(n_holders), 0)
        ) as largest_employer_share
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
