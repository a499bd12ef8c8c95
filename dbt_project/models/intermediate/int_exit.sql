with

completed as (
    select * from {{ ref('int_completed_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

slices as (
    {{ slices_of_readers() }}
),

quarters as (
    select distinct
        period_type,
        period_start,
        period_end
    from slices
    where period_type = 'quarter'
),

candidates as (
    select
        'any' as exit_kind,
        completed.*
    from completed
    union all
    select
        'assessed' as exit_kind,
        completed.*
    from completed
    where completed.ends_in_assessment
),

-- the last record of a person in the quarter
ranked as (
    select
        candidates.*,
        quarters.period_type,
        quarters.period_start,
        quarters.period_end,
        row_number() over (
            partition by candidates.exit_kind, quarters.period_start, candidates.person_id
            order by candidates.completion_date desc, candidates.enrollment_id collate "C" desc
        ) as record_rank
    from candidates
    inner join quarters
        on date_trunc('quarter', candidates.completion_date::timestamp)::date = quarters.period_start
),

exits as (
    select
        exit_kind,
        period_type,
        period_end,
        person_id,
        enrollment_id,
        residence_area_code,
        occupation_code,
        start_date,
        completion_date,
        (date_trunc('month', completion_date::timestamp) + interval '6 months')::date as month_6_start,
        (date_trunc('month', completion_date::timestamp) + interval '7 months' - interval '1 day')::date as month_6_end,
        (period_start + interval '6 months')::date as quarter_2_start,
        (period_start + interval '9 months' - interval '1 day')::date as quarter_2_end,
        (period_start + interval '12 months')::date as quarter_4_start,
        (period_start + interval '15 months' - interval '1 day')::date as quarter_4_end
    from ranked
    where record_rank = 1
),

spell_ranges as (
    select
        person_id,
        start_date,
        coalesce(end_date, 'infinity'::date) as end_date
    from spells
),

-- one pass over the spells of each exit; someone without a spell was never employed
followed_exits as (
    select
        exits.exit_kind,
        exits.period_type,
        exits.period_end,
        exits.person_id,
        exits.enrollment_id,
        exits.residence_area_code,
        exits.occupation_code,
        exits.start_date,
        exits.completion_date,
        exits.quarter_2_start,
        exits.quarter_2_end,
        coalesce(bool_or(
            spell_ranges.start_date <= exits.start_date and spell_ranges.end_date >= exits.start_date
        ), false) as was_employed_at_entry,
        coalesce(bool_or(
            spell_ranges.start_date <= exits.month_6_end and spell_ranges.end_date >= exits.month_6_start
        ), false) as is_employed_in_month_6,
        coalesce(bool_or(
            spell_ranges.start_date <= exits.quarter_2_end and spell_ranges.end_date >= exits.quarter_2_start
        ), false) as is_employed_in_quarter_2,
        coalesce(bool_or(
            spell_ranges.start_date <= exits.quarter_4_end and spell_ranges.end_date >= exits.quarter_4_start
        ), false) as is_employed_in_quarter_4
    from exits
    left join spell_ranges
        on exits.person_id = spell_ranges.person_id
    group by
        exits.exit_kind,
        exits.period_type,
        exits.period_end,
        exits.person_id,
        exits.enrollment_id,
        exits.residence_area_code,
        exits.occupation_code,
        exits.start_date,
        exits.completion_date,
        exits.quarter_2_start,
        exits.quarter_2_end
)

select * from followed_exits
