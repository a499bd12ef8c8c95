-- Written by `make docs` from expectations/hrss/certificates.odcs.yaml.
select
    id_type,
    person_id,
    residence_county_code,
    urban_rural_code,
    certificate_type,
    certificate_number,
    occupation_code,
    level_code,
    issue_county_code,
    issued_on,
    valid_until,
    is_direct_recognition,
    route,
    uscc,
    updated_at,
    is_revoked,
    revoked_on,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_certificates') }}
where not _withdrawn
