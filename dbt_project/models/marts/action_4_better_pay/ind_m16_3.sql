{{ indicator_config() }}

with

returns as (
    select * from {{ ref('fct_state_enterprise_year') }}
),

slices as (
    {{ affected_slices() }}
),

-- the same enterprises in both years, as for the growth of pay
paired as (
    select
        returns.owner_level,
        returns.registration_area_code,
        returns.year_end as period_end,
        returns.wage_bill_cny - before.wage_bill_cny as increment_cny,
        returns.high_skilled_wage_cny - before.high_skilled_wage_cny as high_skilled_increment_cny
    from returns
    inner join returns as before
        on
            returns.uscc = before.uscc
            and returns.year_start = before.year_end + 1
),

in_period as (
    {{ in_slices('paired', area='registration_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['owner_level']) }}
),

-- increments of both signs make up a small sum, of which one enterprise may be more than all
cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(high_skilled_increment_cny) as numerator,
        sum(increment_cny) as denominator,
        count(*) as n_employers,
        least(
            9.999999,
            greatest(
                max(abs(high_skilled_increment_cny)) / nullif(abs(sum(high_skilled_increment_cny)), 0),
                max(abs(increment_cny)) / nullif(abs(sum(increment_cny)), 0)
            )
        ) as largest_employer_share
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_employers', 'largest_employer_share']) }}
