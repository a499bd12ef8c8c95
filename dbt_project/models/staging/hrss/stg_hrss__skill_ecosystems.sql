-- Written by `make docs` from expectations/hrss/skill_ecosystems.odcs.yaml.
select
    ecosystem_id,
    ecosystem_name,
    county_code,
    leader_uscc,
    approved_on,
    ended_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_ecosystems') }}
where not _withdrawn
