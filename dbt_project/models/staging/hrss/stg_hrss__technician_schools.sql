-- Written by `make docs` from expectations/hrss/technician_schools.odcs.yaml.
select
    enrollment_id,
    id_type,
    person_id,
    school_code,
    school_uscc,
    school_county_code,
    origin_county_code,
    class_type,
    entrant_type,
    enrolled_on,
    entry_kind,
    resumes_enrollment_id,
    status,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_technician_schools') }}
where not _withdrawn
