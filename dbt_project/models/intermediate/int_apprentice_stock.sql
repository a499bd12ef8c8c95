with

apprenticeships as (
    select * from {{ ref('fct_apprenticeship') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end from slices
),

in_training as (
    select
        days.period_end,
        apprenticeships.apprenticeship_id,
        apprenticeships.person_id,
        apprenticeships.work_area_code,
        apprenticeships.entrant_type,
        apprenticeships.target_level_code as target_level,
        apprenticeships.target_level_rank,
        apprenticeships.start_date
    from apprenticeships
    inner join days
        on
            apprenticeships.start_date <= days.period_end
            and apprenticeships.in_training_to >= days.period_end
)

select * from in_training
