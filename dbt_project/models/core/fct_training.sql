{{ config(indexes=[{'columns': ['completion_date']}]) }}

select
    enrollment_id,
    person_id,
    residence_county_code,
    residence_kind,
    venue_county_code,
    is_online,
    priority_groups,
    focus_sector,
    occupation_code,
    provider_type,
    ends_in_assessment,
    start_date,
    completion_date,
    status,
    duration_hours,
    subsidy_cny,
    birth_year,
    sex
from {{ ref('stg_hrss__training_enrollments') }}
