select
    uscc,
    year_start,
    year_end,
    owner_level,
    -- provincial enterprises are registered in districts of Hangzhou, and belong to no county
    case when owner_level = 'province' then '339900' else county_code end as registration_area_code,
    in_scope,
    has_skill_sequence,
    wage_bill_cny,
    average_staff,
    high_skilled_wage_cny,
    high_skilled_staff
from {{ ref('stg_sasac__soe_payroll') }}
