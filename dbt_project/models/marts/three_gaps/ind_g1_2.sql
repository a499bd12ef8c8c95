{#- A share on fewer holders or fewer persons than these says nothing of the place: the ratio does not apply there. -#}
{%- set fewest_holders = 10 -%}
{%- set fewest_employed = 100 -%}
{{ indicator_config() }}

with

stock as (
    select * from {{ ref('int_employment_stock') }}
),

members as (
    {{ slice_members() }}
),

-- each person once, where the last spell says that the person lives
residents as (
    select
        period_end,
        residence_area_code,
        urban_rural,
        count(*) as n_employed,
        count(*) filter (where is_certified) as n_certified,
        count(*) filter (where is_high_skilled) as n_high_skilled
    from stock
    where
        is_last_of_person
        and urban_rural in ('1', '2')
    group by period_end, residence_area_code, urban_rural
),

placed as (
    {{ in_members('residents', 'residence_area_code', match=['period_end']) }}
),

sides as (
    select
        area_code,
        period_type,
        period_end,
        coalesce(sum(n_employed) filter (where urban_rural = '1'), 0) as n_urban,
        coalesce(sum(n_certified) filter (where urban_rural = '1'), 0) as n_urban_certified,
        coalesce(sum(n_high_skilled) filter (where urban_rural = '1'), 0) as n_urban_high_skilled,
        coalesce(sum(n_employed) filter (where urban_rural = '2'), 0) as n_rural,
        coalesce(sum(n_certified) filter (where urban_rural = '2'), 0) as n_rural_certified,
        coalesce(sum(n_high_skilled) filter (where urban_rural = '2'), 0) as n_rural_high_skilled
    from placed
    group by area_code, period_type, period_end
),

holders as (
    select
        sides.area_code,
        sides.period_type,
        sides.period_end,
        part.breakdown,
        part.breakdown_value,
        sides.n_urban,
        sides.n_rural,
        part.n_urban_holders,
        part.n_rural_holders,
        least(part.n_urban_holders, part.n_rural_holders) >= {{ fewest_holders }}
        and least(sides.n_urban, sides.n_rural) >= {{ fewest_employed }} as is_applicable
    from sides
    cross join lateral (
        values
        ('total', 'total', sides.n_urban_certified, sides.n_rural_certified),
        ('high_skilled', 'high_skilled', sides.n_urban_high_skilled, sides.n_rural_high_skilled)
    ) as part (breakdown, breakdown_value, n_urban_holders, n_rural_holders)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        case when is_applicable then n_urban_holders end as numerator,
        n_urban as denominator,
        case when is_applicable then n_rural_holders end as comparison_numerator,
        n_rural as comparison_denominator,
        least(n_urban, n_rural) as n_persons
    from holders
)

{{ base_cells(['numerator', 'denominator', 'comparison_numerator', 'comparison_denominator', 'n_persons']) }}
