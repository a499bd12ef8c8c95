-- Written by `make docs` from expectations/hrss/competitions.odcs.yaml.
select
    competition_id,
    competition_name,
    contest_level,
    host_kind,
    host_county_code,
    held_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_competitions') }}
where not _withdrawn
