select
    uscc,
    plan_number,
    plan_kind,
    {{ area_code('county_code') }} as registration_area_code,
    covers_high_skilled,
    members,
    high_skilled_members,
    valid_from,
    valid_to
from {{ ref('stg_hrss__incentive_plans') }}
