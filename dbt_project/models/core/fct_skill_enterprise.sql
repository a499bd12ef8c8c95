select
    uscc,
    county_code,
    recognised_on,
    recognition_round,
    status,
    revoked_on,
    employees,
    skilled_employees
from {{ ref('stg_hrss__skill_enterprises') }}
