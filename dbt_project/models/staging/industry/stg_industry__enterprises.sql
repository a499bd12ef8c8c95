-- Written by `make docs` from expectations/industry/enterprises.odcs.yaml.
select
    uscc,
    county_code,
    cluster,
    is_chain_leader,
    valid_from,
    valid_until,
    _batch_id
from {{ source('raw_industry', 'industry_enterprises') }}
where not _withdrawn
