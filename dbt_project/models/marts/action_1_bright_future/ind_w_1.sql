{{ indicator_config() }}

with

funds as (
    select * from {{ ref('fct_skill_fund') }}
),

slices as (
    {{ affected_slices() }}
),

-- amounts run from 1 January: of a year is what ends with it; what another account had spent already is taken off
net_funds as (
    select
        paying_area_code,
        period_end,
        fund_source,
        case when is_estimate then 'estimated' else 'public' end as fund_kind,
        (spent_cny - coalesce(transferred_in_cny, 0)) / 10000 as spent_10k,
        case when not is_estimate then coalesce(budget_cny, 0) / 10000 end as budget_10k
    from funds
),

in_period as (
    {{ in_slices('net_funds', area='paying_area_code', match=['period_end']) }}
),

parts as (
    select
        in_period.area_code,
        in_period.period_type,
        in_period.period_end,
        part.breakdown,
        part.breakdown_value,
        part.amount_10k
    from in_period
    cross join lateral (
        values
        ('total', 'total', in_period.spent_10k),
        ('fund_source', in_period.fund_source, in_period.spent_10k),
        ('fund_kind', in_period.fund_kind, in_period.spent_10k),
        ('public_budget', 'public_budget', in_period.budget_10k)
    ) as part (breakdown, breakdown_value, amount_10k)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(amount_10k) as numerator
    from parts
    where amount_10k is not null
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
