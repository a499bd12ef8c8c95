-- Written by `make docs` from expectations/education/rural_teaching.odcs.yaml.
select
    activity_id,
    activity_kind,
    county_code,
    held_on,
    provider_type,
    participants,
    participants_bound,
    teacher_entries,
    student_entries,
    _batch_id
from {{ source('raw_education', 'education_rural_teaching') }}
where not _withdrawn
