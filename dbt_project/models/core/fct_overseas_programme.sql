select
    programme_id,
    period_start,
    period_end,
    parent_uscc,
    {{ area_code('county_code') }} as registration_area_code,
    country_name,
    staff_kind,
    trained_person_times,
    assessed_person_times,
    recognised_certificates
from {{ ref('stg_hrss__overseas_programmes') }}
