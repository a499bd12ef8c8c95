-- Written by `make docs` from expectations/industry/colleges.odcs.yaml.
select
    college_id,
    college_name,
    kind,
    host_uscc,
    school_code,
    county_code,
    valid_from,
    valid_until,
    _batch_id
from {{ source('raw_industry', 'industry_colleges') }}
where not _withdrawn
