-- Written by `make docs` from expectations/hrss/competition_results.odcs.yaml.
select
    result_id,
    competition_id,
    kind,
    county_code,
    dated_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_competition_results') }}
where not _withdrawn
