-- Written by `make docs` from expectations/hrss/incentive_plans.odcs.yaml.
select
    uscc,
    plan_number,
    plan_kind,
    county_code,
    covers_high_skilled,
    members,
    high_skilled_members,
    annual_amount_cny,
    valid_from,
    valid_to,
    _batch_id
from {{ source('raw_hrss', 'hrss_incentive_plans') }}
where not _withdrawn
