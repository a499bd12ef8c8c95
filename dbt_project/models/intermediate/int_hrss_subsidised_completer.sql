{{ config(indexes=[{'columns': ['residence_area_code']}]) }}

with

trainings as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

slices as (
    {{ slices_of_readers() }}
),

quarters as (
    {{ quarters_in('slices') }}
),

ranked as (
    {{ courses_by_quarter('trainings', record='record_id') }}
),

-- a person counts once in a quarter, with the last course
completers as (
    select
        person_id,
        completion_quarter_end,
        residence_area_code,
        priority_groups,
        graduate_status,
        sex,
        age_band,
        urban_rural,
        start_date,
        completion_date,
        (date_trunc('month', completion_date::timestamp) + interval '6 months')::date as month_6_start,
        (date_trunc('month', completion_date::timestamp) + interval '7 months')::date - 1 as month_6_end
    from ranked
    where course_rank = 1
),

-- one pass over the registrations of each; someone without one was never registered
followed as (
    select
        completers.person_id,
        completers.completion_quarter_end,
        coalesce(bool_or(
            spells.start_date <= completers.start_date
            and coalesce(spells.end_date, 'infinity'::date) >= completers.start_date
        ), false) as was_registered_at_start,
        coalesce(bool_or(
            spells.start_date <= completers.month_6_end
            and coalesce(spells.end_date, 'infinity'::date) >= completers.month_6_start
        ), false) as is_registered_in_month_6
    from completers
    left join spells
        on completers.person_id = spells.person_id
    group by completers.person_id, completers.completion_quarter_end
)

select
    completers.person_id,
    completers.completion_quarter_end,
    completers.completion_date,
    completers.residence_area_code,
    completers.priority_groups,
    completers.graduate_status,
    completers.sex,
    completers.age_band,
    completers.urban_rural,
    followed.was_registered_at_start,
    followed.is_registered_in_month_6
from completers
inner join followed
    on
        completers.person_id = followed.person_id
        and completers.completion_quarter_end = followed.completion_quarter_end
