{{ config(indexes=[{'columns': ['person_id', 'start_date']}, {'columns': ['work_area_code']}]) }}

select
    person_id,
    employer_code,
    uscc,
    employer_type,
    registration_kind,
    urban_rural_code,
    employment_form,
    {{ area_code('work_county_code') }} as work_area_code,
    {{ area_code('residence_county_code') }} as residence_area_code,
    {{ area_code('registration_county_code') }} as registration_area_code,
    industry_code,
    is_insured,
    start_date,
    end_date,
    birth_year,
    sex
from {{ ref('stg_hrss__employment_registrations') }}
