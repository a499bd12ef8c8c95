-- Written by `make docs` from expectations/hrss/assessment_bodies.odcs.yaml.
select
    body_code,
    uscc,
    county_code,
    status,
    valid_from,
    valid_to,
    _batch_id
from {{ source('raw_hrss', 'hrss_assessment_bodies') }}
where not _withdrawn
