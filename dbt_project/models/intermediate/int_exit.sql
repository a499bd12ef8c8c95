{{ config(indexes=[{'columns': ['residence_area_code']}], pre_hook=hash_joins()) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

wages as (
    select * from {{ ref('fct_wage') }}
),

slices as (
    {{ slices_of_readers() }}
),

quarters as (
    {{ quarters_in('slices') }}
),

-- one whose end nobody has entered lasts until the day that was planned, and how it ended is not stated; one that is
-- void was none
attended as (
    select
        enrollment_id,
        person_id,
        residence_area_code,
        status,
        start_date,
        coalesce(
            case status when '02' then completion_date when '03' then left_on end, planned_end_date, 'infinity'::date
        ) as last_day
    from trainings
    where status != '09'
),

with_days_before as (
    select
        *,
        max(last_day) over (
            partition by person_id
            order by start_date asc, enrollment_id collate "C" asc
            rows between unbounded preceding and 1 preceding
        ) as last_day_before
    from attended
),

-- trainings less than 90 days apart are one episode
numbered as (
    select
        *,
        count(*) filter (where last_day_before is null or last_day_before + 90 <= start_date) over (
            partition by person_id
            order by start_date asc, enrollment_id collate "C" asc
            rows between unbounded preceding and current row
        ) as episode_number
    from with_days_before
),

-- how and from where the last training of an episode was left holds for the whole
episodes as (
    select
        person_id,
        residence_area_code,
        case status when '02' then 'completed' when '03' then 'left' else 'unstated' end as completion,
        min(start_date) over (partition by person_id, episode_number) as entered_on,
        last_day as exit_on,
        row_number() over (
            partition by person_id, episode_number
            order by last_day desc, start_date desc, enrollment_id collate "C" desc
        ) as training_rank
    from numbered
),

ranked as (
    select
        episodes.person_id,
        episodes.residence_area_code,
        episodes.completion,
        episodes.entered_on,
        episodes.exit_on,
        quarters.period_start,
        quarters.period_end as exit_quarter_end,
        row_number() over (
            partition by episodes.person_id, quarters.period_end
            order by episodes.exit_on desc
        ) as exit_rank
    from episodes
    inner join quarters
        on episodes.exit_on between quarters.period_start and quarters.period_end
    where episodes.training_rank = 1
),

-- a person counts once in a quarter, with the last exit
exits as (
    select
        person_id,
        residence_area_code,
        completion,
        entered_on,
        exit_on,
        exit_quarter_end,
        daterange(
            (entered_on - interval '6 months')::date, entered_on, '[]'
        ) as half_year_before,
        (period_start + interval '6 months')::date as quarter_2_start,
        (period_start + interval '9 months')::date as quarter_3_start,
        (period_start + interval '12 months')::date as quarter_4_start,
        (period_start + interval '15 months')::date as quarter_5_start
    from ranked
    where exit_rank = 1
),

persons as (
    select distinct person_id
    from exits
),

-- the days in post with an employer, whatever the number of registrations
posts as (
    select
        spells.person_id,
        range_agg(daterange(spells.start_date, spells.end_date, '[]')) as days
    from spells
    inner join persons
        on spells.person_id = persons.person_id
    group by spells.person_id, spells.employer_code
),

registered as (
    select
        exits.person_id,
        exits.exit_quarter_end,
        bool_or(posts.days @> exits.entered_on) as was_employed,
        bool_or(posts.days @> exits.half_year_before) as was_incumbent,
        bool_or(posts.days && daterange(exits.quarter_2_start, exits.quarter_3_start)) as is_registered_in_quarter_2,
        bool_or(posts.days && daterange(exits.quarter_4_start, exits.quarter_5_start)) as is_registered_in_quarter_4
    from exits
    inner join posts
        on exits.person_id = posts.person_id
    group by exits.person_id, exits.exit_quarter_end
),

paid_by_employer as (
    select
        exits.person_id,
        exits.exit_quarter_end,
        sum(wages.wage_cny_month) filter (where wages.wage_month < exits.quarter_3_start) as quarter_2_wage_cny,
        bool_or(wages.wage_month < exits.quarter_3_start) as pays_in_quarter_2,
        bool_or(wages.wage_month >= exits.quarter_4_start) as pays_in_quarter_4
    from exits
    inner join wages
        on
            exits.person_id = wages.person_id
            and exits.quarter_2_start <= wages.wage_month
            and exits.quarter_5_start > wages.wage_month
    where
        {{ is_contribution_wage('wages') }}
    group by exits.person_id, exits.exit_quarter_end, wages.employer_code
),

paid as (
    select
        person_id,
        exit_quarter_end,
        sum(quarter_2_wage_cny) as quarter_2_wage_cny,
        bool_or(pays_in_quarter_2) as has_wage_record_in_quarter_2,
        bool_or(pays_in_quarter_4) as has_wage_record_in_quarter_4,
        bool_or(pays_in_quarter_2 and pays_in_quarter_4) as has_same_employer_in_quarter_4
    from paid_by_employer
    group by person_id, exit_quarter_end
),

-- one pass each; who has neither registration nor wage record was not employed
followed as (
    select
        exits.person_id,
        exits.exit_quarter_end,
        exits.exit_on,
        exits.residence_area_code,
        exits.completion,
        case
            when registered.was_incumbent then 'incumbent'
            when registered.was_employed then 'employed_other'
            else 'not_employed'
        end as at_entry,
        coalesce(registered.is_registered_in_quarter_2, false) as is_registered_in_quarter_2,
        coalesce(registered.is_registered_in_quarter_4, false) as is_registered_in_quarter_4,
        coalesce(paid.has_wage_record_in_quarter_2, false) as has_wage_record_in_quarter_2,
        coalesce(paid.has_wage_record_in_quarter_4, false) as has_wage_record_in_quarter_4,
        coalesce(paid.has_same_employer_in_quarter_4, false) as has_same_employer_in_quarter_4,
        paid.quarter_2_wage_cny
    from exits
    left join registered
        on
            exits.person_id = registered.person_id
            and exits.exit_quarter_end = registered.exit_quarter_end
    left join paid
        on
            exits.person_id = paid.person_id
            and exits.exit_quarter_end = paid.exit_quarter_end
)

select * from followed
