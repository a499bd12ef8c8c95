-- Written by `make docs` from expectations/hrss/skill_enterprises.odcs.yaml.
select
    enterprise_name,
    uscc,
    county_code,
    recognised_on,
    recognition_round,
    status,
    revoked_on,
    employees,
    skilled_employees,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_enterprises') }}
where not _withdrawn
