{{ config(indexes=[{'columns': ['person_id', 'start_date']}, {'columns': ['work_county_code']}]) }}

select
    person_id,
    employer_code,
    uscc,
    work_county_code,
    residence_county_code,
    residence_kind,
    industry_code,
    is_insured,
    start_date,
    end_date
from {{ ref('stg_hrss__employment_registrations') }}
