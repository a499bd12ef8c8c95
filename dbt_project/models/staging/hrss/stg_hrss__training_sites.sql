-- Written by `make docs` from expectations/hrss/training_sites.odcs.yaml.
select
    site_id,
    site_name,
    site_type,
    tier,
    county_code,
    township_name,
    place_code,
    longitude,
    latitude,
    uscc,
    workplaces,
    status,
    opened_on,
    closed_on,
    _batch_id
from {{ source('raw_hrss', 'hrss_training_sites') }}
where not _withdrawn
