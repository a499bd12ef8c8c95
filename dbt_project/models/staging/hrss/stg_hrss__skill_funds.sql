-- Written by `make docs` from expectations/hrss/skill_funds.odcs.yaml.
select
    area_code,
    period_label,
    period_start,
    period_end,
    fund_source,
    budget_cny,
    spent_cny,
    spent_bound,
    transferred_in_cny,
    is_estimate,
    _batch_id
from {{ source('raw_hrss', 'hrss_skill_funds') }}
where not _withdrawn
