{{ indicator_config() }}

with

services as (
    select * from {{ ref('int_ecosystem_service') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('services', area='location_area_code', day='served_on') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['skill_service']) }}
),

employers as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        uscc,
        count(*) as services
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value, uscc
),

by_employer as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as n_employers,
        max(services) as services_of_largest
    from employers
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as services,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

cells as (
    select
        counted.area_code,
        counted.period_type,
        counted.period_end,
        counted.breakdown,
        counted.breakdown_value,
        counted.services as numerator,
        counted.n_persons,
        by_employer.n_employers,
        by_employer.services_of_largest::numeric / counted.services as largest_employer_share
    from counted
    inner join by_employer
        on
            counted.area_code = by_employer.area_code
            and counted.period_type = by_employer.period_type
            and counted.period_end = by_employer.period_end
            and counted.breakdown = by_employer.breakdown
            and counted.breakdown_value = by_employer.breakdown_value
)

{{ base_cells(['numerator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
