-- Written by `make docs` from expectations/hrss/leading_talent.odcs.yaml.
select
    id_type,
    person_id,
    honour,
    honour_level,
    awarded_on,
    uscc,
    county_code,
    ended_on,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_leading_talent') }}
where not _withdrawn
