-- Written by `make docs` from expectations/hrss/training_enrollments.odcs.yaml.
select
    enrollment_id,
    id_type,
    person_id,
    residence_county_code,
    residence_kind,
    venue_county_code,
    is_online,
    priority_groups,
    focus_sector,
    occupation_code,
    provider_type,
    ends_in_assessment,
    start_date,
    completion_date,
    status,
    duration_hours,
    subsidy_cny,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_training_enrollments') }}
where not _withdrawn
