-- Written by `make docs` from expectations/hrss/title_awards.odcs.yaml.
select
    award_id,
    id_type,
    person_id,
    employer_county_code,
    title_level,
    route,
    applied_on,
    outcome,
    awarded_on,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_title_awards') }}
where not _withdrawn
