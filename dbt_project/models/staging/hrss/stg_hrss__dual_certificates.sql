-- Written by `make docs` from expectations/hrss/dual_certificates.odcs.yaml.
select
    certificate_number,
    enterprise_certificate,
    issue_county_code,
    issued_on,
    updated_at,
    _batch_id
from {{ source('raw_hrss', 'hrss_dual_certificates') }}
where not _withdrawn
