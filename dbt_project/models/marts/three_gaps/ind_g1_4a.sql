{{ indicator_config() }}

with

completers as (
    select *
    from {{ ref('int_completer_wage_growth') }}
    where
        urban_rural in ('1', '2')
        and wage_at_start_cny > 0
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

slices as (
    {{ affected_slices() }}
),

members as (
    {{ slice_members() }}
),

-- persons with both wages alone, whose growth the indicator beside this one looks at
followed as (
    select
        completers.period_end,
        completers.residence_area_code,
        later.horizon,
        not completers.is_capped_at_start and not later.is_capped as is_uncapped
    from completers
    cross join
        lateral (
            values
            ('12', completers.wage_after_12_cny, completers.is_capped_after_12),
            ('24', completers.wage_after_24_cny, completers.is_capped_after_24)
        ) as later (horizon, wage_cny, is_capped)
    where later.wage_cny is not null
),

placed as (
    {{ in_members('followed', 'residence_area_code', match=['period_end']) }}
),

parts as (
    select
        *,
        'horizon' as breakdown,
        horizon as breakdown_value
    from placed
    union all
    select
        *,
        'total' as breakdown,
        'total' as breakdown_value
    from placed
    where horizon = '24'
),

open_slices as (
    {{ open_slices() }}
),

unknown as (
    {{ unknown_cells('open_slices') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_uncapped) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
    union all
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        null as numerator,
        null as denominator,
        null as n_persons
    from unknown
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
