{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['completion_date']}]) }}

select
    department,
    enrollment_id,
    person_id,
    {{ area_code('residence_county_code') }} as residence_area_code,
    -- where nobody has said who approves, it is taken to be where the training is held
    {{ area_code('coalesce(handling_county_code, venue_county_code)') }} as handling_area_code,
    occupation_code,
    start_date,
    completion_date,
    status,
    is_subsidised,
    birth_year,
    sex
from {{ ref('stg_sectors__training_enrollments') }}
