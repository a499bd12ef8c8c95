-- Written by `make docs` from expectations/hrss/technician_school_programmes.odcs.yaml.
select
    school_code,
    school_county_code,
    programme_code,
    is_new_occupation,
    is_new_manufacturing,
    is_digital,
    valid_from,
    valid_until,
    updated_at,
    _batch_id
from {{ source('raw_hrss', 'hrss_technician_school_programmes') }}
where not _withdrawn
