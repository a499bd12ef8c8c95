select
    agreement_id,
    uscc,
    scope,
    is_skill_grade,
    {{ own_level_code('filing_area_code') }} as filing_area_code,
    valid_from,
    valid_until,
    covered_employees,
    covered_employees_bound
from {{ ref('stg_union__collective_agreements') }}
