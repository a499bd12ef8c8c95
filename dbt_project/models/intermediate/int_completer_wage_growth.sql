{{ config(pre_hook=hash_joins()) }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

wages as (
    select * from {{ ref('fct_wage') }}
),

slices as (
    {{ slices_of_readers() }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

-- while the window is open nothing of it can be known, and nobody is looked up
years as (
    select distinct
        slices.period_start,
        slices.period_end
    from slices
    inner join covered_periods
        on
            slices.indicator_code = covered_periods.indicator_code
            and slices.period_type = covered_periods.period_type
            and slices.period_end = covered_periods.period_end
    where not covered_periods.is_window_open
),

ranked as (
    select
        years.period_end,
        trainings.person_id,
        trainings.residence_area_code,
        {{ urban_rural('trainings.urban_rural_code') }} as urban_rural,
        date_trunc('month', trainings.start_date::timestamp)::date as start_month,
        date_trunc('month', trainings.completion_date::timestamp)::date as completion_month,
        row_number() over (
            partition by years.period_end, trainings.person_id
            order by trainings.completion_date desc, trainings.enrollment_id collate "C" desc
        ) as course_rank
    from trainings
    inner join years
        on trainings.completion_date between years.period_start and years.period_end
    where trainings.status = '02'
),

-- a person counts once in a year, with the course completed last
completers as (
    select *
    from ranked
    where course_rank = 1
),

followed as (
    select
        completers.period_end,
        completers.person_id,
        completers.residence_area_code,
        completers.urban_rural,
        sum(wages.wage_cny_month) filter (
            where wages.wage_month = completers.start_month
        ) as wage_at_start_cny,
        sum(wages.wage_cny_month) filter (
            where wages.wage_month = completers.completion_month + interval '12 months'
        ) as wage_after_12_cny,
        sum(wages.wage_cny_month) filter (
            where wages.wage_month = completers.completion_month + interval '24 months'
        ) as wage_after_24_cny,
        bool_or(wages.base_limit = '1') filter (
            where wages.wage_month = completers.start_month
        ) as is_capped_at_start,
        bool_or(wages.base_limit = '1') filter (
            where wages.wage_month = completers.completion_month + interval '12 months'
        ) as is_capped_after_12,
        bool_or(wages.base_limit = '1') filter (
            where wages.wage_month = completers.completion_month + interval '24 months'
        ) as is_capped_after_24
    from completers
    inner join wages
        on
            completers.person_id = wages.person_id
            and wages.wage_month in (
                completers.start_month,
                (completers.completion_month + interval '12 months')::date,
                (completers.completion_month + interval '24 months')::date
            )
    where
        {{ is_contribution_wage('wages') }}
    group by
        completers.period_end,
        completers.person_id,
        completers.residence_area_code,
        completers.urban_rural
)

select * from followed
