{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['planned_end_date']}]) }}

with

apprenticeships as (
    select
        *,
        (planned_end_date + interval '6 months')::date as overdue_from
    from {{ ref('stg_hrss__apprenticeships') }}
)

select
    apprenticeship_id,
    person_id,
    uscc,
    {{ area_code('work_county_code') }} as work_area_code,
    entrant_type,
    target_level_code,
    position(target_level_code in '54321TS')::smallint as target_level_rank,
    start_date,
    planned_end_date,
    ended_on,
    -- whoever left on a day that nobody knows was gone when it was reported; an end that nobody reports is taken for
    -- one six months after the agreed day
    case
        when ended_on is null and status = '03'
            then least((updated_at at time zone 'Asia/Shanghai')::date, overdue_from)
        else coalesce(ended_on, overdue_from)
    end as in_training_to,
    status,
    birth_year,
    sex
from apprenticeships
