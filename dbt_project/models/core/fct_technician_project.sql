select
    project_id,
    school_code,
    -- codes of schools that merged are given to others: this one stays with its school
    project_kind,
    {{ area_code('school_county_code') }} as school_area_code,
    named_on,
    accepted_on,
    status
from {{ ref('stg_hrss__technician_school_projects') }}
