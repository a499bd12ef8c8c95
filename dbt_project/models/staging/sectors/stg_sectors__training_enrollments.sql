-- Written by `make docs` from expectations/sectors/training_enrollments.odcs.yaml.
select
    department,
    enrollment_id,
    id_type,
    person_id,
    residence_county_code,
    handling_county_code,
    venue_county_code,
    course_name,
    occupation_code,
    start_date,
    completion_date,
    status,
    duration_hours,
    is_subsidised,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_sectors', 'sectors_training_enrollments') }}
where not _withdrawn
