select
    school_code,
    {{ area_code('school_county_code') }} as school_area_code,
    programme_code,
    is_new_occupation,
    is_new_manufacturing,
    is_digital,
    valid_from,
    valid_until
from {{ ref('stg_hrss__technician_school_programmes') }}
