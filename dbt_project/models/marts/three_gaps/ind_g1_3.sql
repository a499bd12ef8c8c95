{#- A rate on fewer trainees or fewer persons than these says nothing of the place: the ratio does not apply there. -#}
{%- set fewest_trainees = 10 -%}
{%- set fewest_employed = 100 -%}
{{ indicator_config() }}

with

at_work as (
    select * from {{ ref('int_trainee_at_work') }}
),

employed_residents as (
    select * from {{ ref('int_employed_resident') }}
),

slices as (
    {{ affected_slices() }}
),

members as (
    {{ slice_members() }}
),

periods as (
    select distinct
        period_type,
        period_start,
        period_end
    from slices
),

begun as (
    select
        periods.period_type,
        periods.period_end,
        at_work.residence_area_code,
        at_work.urban_rural,
        row_number() over (
            partition by periods.period_type, periods.period_end, at_work.person_id
            order by at_work.start_date desc, at_work.enrollment_id collate "C" desc
        ) as course_rank
    from at_work
    inner join periods
        on at_work.start_date between periods.period_start and periods.period_end
),

-- a person counts once in a period, with the course that began last
trainees as (
    select
        period_type,
        period_end,
        residence_area_code,
        urban_rural,
        count(*) as n_trainees
    from begun
    where course_rank = 1
    group by period_type, period_end, residence_area_code, urban_rural
),

placed_trainees as (
    {{ in_members('trainees', 'residence_area_code', match=['period_type', 'period_end']) }}
),

placed_residents as (
    {{ in_members('employed_residents', 'residence_area_code', match=['period_end']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        urban_rural,
        n_trainees,
        0 as n_employed
    from placed_trainees
    union all
    select
        area_code,
        period_type,
        period_end,
        urban_rural,
        0 as n_trainees,
        n_employed
    from placed_residents
),

sides as (
    select
        area_code,
        period_type,
        period_end,
        coalesce(sum(n_trainees) filter (where urban_rural = '1'), 0) as n_urban_trainees,
        coalesce(sum(n_employed) filter (where urban_rural = '1'), 0) as n_urban,
        coalesce(sum(n_trainees) filter (where urban_rural = '2'), 0) as n_rural_trainees,
        coalesce(sum(n_employed) filter (where urban_rural = '2'), 0) as n_rural
    from counted
    group by area_code, period_type, period_end
),

applicable as (
    select
        *,
        least(n_urban_trainees, n_rural_trainees) >= {{ fewest_trainees }}
        and least(n_urban, n_rural) >= {{ fewest_employed }} as is_applicable
    from sides
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        case when is_applicable then n_rural_trainees end as numerator,
        n_rural as denominator,
        case when is_applicable then n_urban_trainees end as comparison_numerator,
        n_urban as comparison_denominator,
        least(n_urban, n_rural) as n_persons
    from applicable
)

{{ base_cells(['numerator', 'denominator', 'comparison_numerator', 'comparison_denominator', 'n_persons']) }}
