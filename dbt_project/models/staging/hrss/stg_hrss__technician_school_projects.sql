-- Written by `make docs` from expectations/hrss/technician_school_projects.odcs.yaml.
select
    project_id,
    school_code,
    school_uscc,
    project_kind,
    school_county_code,
    named_on,
    accepted_on,
    status,
    updated_at,
    _batch_id
from {{ source('raw_hrss', 'hrss_technician_school_projects') }}
where not _withdrawn
