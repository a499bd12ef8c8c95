-- Written by `make docs` from expectations/hrss/skill_villages.odcs.yaml.
select
    village_name,
    village_code,
    county_code,
    recognised_on,
    recognition_round,
    status,
    revoked_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_villages') }}
where not _withdrawn
