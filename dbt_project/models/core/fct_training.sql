{{ config(indexes=[{'columns': ['completion_date']}]) }}

select
    enrollment_id,
    person_id,
    urban_rural_code,
    registration_kind,
    {{ area_code('residence_county_code') }} as residence_area_code,
    {{ area_code('registration_county_code') }} as registration_area_code,
    -- where nobody has said who approves and pays, it is taken to be where the course is held
    {{ area_code('coalesce(handling_county_code, venue_county_code)') }} as handling_area_code,
    venue_county_code,
    is_online,
    priority_groups,
    graduate_status,
    focus_sector,
    occupation_code,
    class_code,
    project_code,
    is_order_based,
    provider_type,
    provider_uscc,
    ends_in_assessment,
    start_date,
    planned_end_date,
    completion_date,
    left_on,
    assessment_failed_on,
    status,
    subsidy_source,
    subsidy_cny,
    birth_year,
    sex
from {{ ref('stg_hrss__training_enrollments') }}
