-- Written by `make docs` from expectations/organisation/prosperity_workshops.odcs.yaml.
select
    county_code,
    list_year_start,
    listed_on,
    workshop_id,
    workshop_name,
    township_name,
    kind,
    uscc,
    established_on,
    status,
    closed_on,
    workers,
    workers_bound,
    monthly_gain_cny,
    monthly_gain_bound,
    last_training_on,
    _batch_id
from {{ source('raw_organisation', 'organisation_prosperity_workshops') }}
where not _withdrawn
