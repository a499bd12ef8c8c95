-- Written by `make docs` from expectations/hrss/employment_services.odcs.yaml.
select
    service_id,
    id_type,
    person_id,
    service_kind,
    served_on,
    service_county_code,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_employment_services') }}
where not _withdrawn
