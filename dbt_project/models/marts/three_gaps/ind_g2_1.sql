{#- What so few employed persons hold says nothing of a county: the smallest ones would be the extremes. -#}
{%- set fewest_employed = 1000 -%}
{{ indicator_config() }}

with

certified_shares as (
    select *
    from {{ ref('ind_m21_1') }}
    where breakdown = 'total'
),

dim_area as (
    select * from {{ ref('dim_area') }}
),

slices as (
    {{ affected_slices() }}
),

county_shares as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        certified_shares.denominator as n_employed,
        100 * certified_shares.numerator / certified_shares.denominator as share_pct
    from slices
    inner join certified_shares
        on
            slices.period_type = certified_shares.period_type
            and slices.period_end = certified_shares.period_end
    inner join dim_area
        on
            certified_shares.area_code = dim_area.area_code
            and dim_area.area_level = 'county'
    where certified_shares.denominator >= {{ fewest_employed }}
),

-- the tenth and the ninetieth percentile of the counties, each of which counts once
extremes as (
    select
        area_code,
        period_type,
        period_end,
        min(n_employed) as n_persons,
        max(share_pct) as highest_pct,
        min(share_pct) as lowest_pct,
        (percentile_cont(0.9) within group (order by share_pct::double precision))::numeric as p90_pct,
        (percentile_cont(0.1) within group (order by share_pct::double precision))::numeric as p10_pct
    from county_shares
    group by area_code, period_type, period_end
),

cells as (
    select
        extremes.area_code,
        extremes.period_type,
        extremes.period_end,
        part.breakdown,
        part.breakdown_value,
        extremes.n_persons,
        round(part.upper_pct, 4) as numerator,
        round(part.lower_pct, 4) as denominator,
        round(part.upper_pct / nullif(part.lower_pct, 0), 4) as value
    from extremes
    cross join lateral (
        values
        ('total', 'total', extremes.highest_pct, extremes.lowest_pct),
        ('spread', 'max_min', extremes.highest_pct, extremes.lowest_pct),
        ('spread', 'p90_p10', extremes.p90_pct, extremes.p10_pct)
    ) as part (breakdown, breakdown_value, upper_pct, lower_pct)
)

{{ base_cells(['numerator', 'denominator', 'value', 'n_persons']) }}
