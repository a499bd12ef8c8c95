{{ indicator_config() }}

with

programmes as (
    select * from {{ ref('fct_overseas_programme') }}
),

slices as (
    {{ affected_slices() }}
),

reported as (
    select
        programmes.registration_area_code,
        programmes.period_end,
        programmes.parent_uscc,
        case programmes.staff_kind when '当地员工' then 'local' else 'sent' end as overseas_staff,
        done.skill_service,
        done.person_times
    from programmes
    cross join
        lateral (
            values
            ('training', programmes.trained_person_times),
            ('assessment', programmes.assessed_person_times)
        ) as done (skill_service, person_times)
    where done.person_times > 0
),

in_period as (
    {{ in_slices('reported', area='registration_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['skill_service', 'overseas_staff']) }}
),

enterprises as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        parent_uscc,
        sum(person_times) as person_times
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value, parent_uscc
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(person_times) as numerator,
        count(*) as n_employers,
        max(person_times)::numeric / sum(person_times) as largest_employer_share
    from enterprises
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_employers', 'largest_employer_share']) }}
