{{ config(indexes=[{'columns': ['enrolled_on']}]) }}

select
    enrollment_id,
    person_id,
    school_code,
    -- codes of schools that merged are given to others: this one stays with its school
    {{ area_code('school_county_code') }} as school_area_code,
    {{ area_code('origin_county_code') }} as origin_area_code,
    class_type,
    entrant_type,
    enrolled_on,
    -- who returns after a leave of absence was taken in before
    entry_kind = '1' as is_intake,
    resumes_enrollment_id,
    status,
    birth_year,
    sex
from {{ ref('stg_hrss__technician_schools') }}
