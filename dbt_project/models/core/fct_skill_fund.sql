select
    {{ area_code('area_code') }} as paying_area_code,
    period_start,
    period_end,
    fund_source,
    budget_cny,
    spent_cny,
    spent_bound,
    transferred_in_cny,
    is_estimate
from {{ ref('stg_hrss__skill_funds') }}
