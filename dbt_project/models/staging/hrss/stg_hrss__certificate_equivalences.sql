-- Written by `make docs` from expectations/hrss/certificate_equivalences.odcs.yaml.
select
    entry_id,
    industry_certificate,
    occupation_code,
    valid_from,
    valid_to,
    _batch_id
from {{ source('raw_hrss', 'hrss_certificate_equivalences') }}
where not _withdrawn
