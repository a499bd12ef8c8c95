-- Written by `make docs` from expectations/industry/affected_enterprises.odcs.yaml.
select
    entry_id,
    enterprise_name,
    uscc,
    valid_from,
    valid_until,
    _batch_id
from {{ source('raw_industry', 'industry_affected_enterprises') }}
where not _withdrawn
