-- Written by `make docs` from expectations/hrss/skill_chains.odcs.yaml.
select
    chain_id,
    chain_name,
    ecosystem_id,
    valid_from,
    valid_to,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_chains') }}
where not _withdrawn
