-- Written by `make docs` from expectations/hrss/apprenticeships.odcs.yaml.
select
    apprenticeship_id,
    id_type,
    person_id,
    uscc,
    work_county_code,
    entrant_type,
    target_level_code,
    start_date,
    planned_end_date,
    ended_on,
    status,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_apprenticeships') }}
where not _withdrawn
