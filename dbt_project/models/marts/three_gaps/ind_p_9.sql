{{ indicator_config() }}

with

funds as (
    select * from {{ ref('fct_skill_fund') }}
),

slices as (
    {{ affected_slices() }}
),

-- amounts run from 1 January: of a year is what ends with it; estimates have no budget
public_funds as (
    select
        paying_area_code,
        period_end,
        fund_source,
        spent_cny / 10000 as spent_10k,
        budget_cny / 10000 as budget_10k
    from funds
    where
        not is_estimate
        and budget_cny is not null
),

in_period as (
    {{ in_slices('public_funds', area='paying_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['fund_source']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(spent_10k) as numerator,
        sum(budget_10k) as denominator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator']) }}
