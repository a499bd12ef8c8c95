-- Written by `make docs` from expectations/hrss/overseas_programmes.odcs.yaml.
select
    programme_id,
    year_label,
    period_start,
    period_end,
    parent_uscc,
    county_code,
    country_name,
    staff_kind,
    trained_person_times,
    assessed_person_times,
    recognised_certificates,
    _batch_id
from {{ source('raw_hrss', 'hrss_overseas_programmes') }}
where not _withdrawn
