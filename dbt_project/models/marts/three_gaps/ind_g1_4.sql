{{ indicator_config() }}

with

completers as (
    select * from {{ ref('int_completer_wage_growth') }}
),

members as (
    {{ slice_members() }}
),

followed as (
    select
        completers.*,
        later.horizon,
        later.wage_cny
    from completers
    cross join lateral (
        values
        ('12', completers.wage_after_12_cny),
        ('24', completers.wage_after_24_cny)
    ) as later (horizon, wage_cny)
),

-- persons with both wages alone
growth as (
    select
        period_end,
        residence_area_code,
        urban_rural,
        horizon,
        100 * (wage_cny / wage_at_start_cny - 1) as growth_pct
    from followed
    where
        urban_rural in ('1', '2')
        and wage_at_start_cny > 0
        and wage_cny is not null
),

placed as (
    {{ in_members('growth', 'residence_area_code', match=['period_end']) }}
),

medians as (
    select
        area_code,
        period_type,
        period_end,
        horizon,
        (percentile_cont(0.5) within group (order by growth_pct::double precision) filter (
            where urban_rural = '2'
        ))::numeric as rural_growth_pct,
        (percentile_cont(0.5) within group (order by growth_pct::double precision) filter (
            where urban_rural = '1'
        ))::numeric as urban_growth_pct,
        least(
            count(*) filter (where urban_rural = '2'),
            count(*) filter (where urban_rural = '1')
        ) as n_persons
    from placed
    group by area_code, period_type, period_end, horizon
),

-- the total is what stands two years after: a base set on wages before the course would say nothing of it
parts as (
    select
        *,
        'horizon' as breakdown,
        horizon as breakdown_value
    from medians
    union all
    select
        *,
        'total' as breakdown,
        'total' as breakdown_value
    from medians
    where horizon = '24'
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        round(rural_growth_pct, 4) as numerator,
        round(urban_growth_pct, 4) as denominator,
        n_persons
    from parts
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
