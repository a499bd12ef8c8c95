-- Written by `make docs` from expectations/hrss/skill_ecosystem_members.odcs.yaml.
select
    ecosystem_id,
    member_uscc,
    joined_on,
    left_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_ecosystem_members') }}
where not _withdrawn
