-- Written by `make docs` from expectations/hrss/competition_entrants.odcs.yaml.
select
    competition_id,
    id_type,
    person_id,
    uscc,
    county_code,
    entered_on,
    certificate_number,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_competition_entrants') }}
where not _withdrawn
