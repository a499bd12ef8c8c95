{{ config(materialized='view') }}

select
    person_id,
    employer_code,
    {{ area_code('work_county_code') }} as work_area_code,
    industry_code,
    wage_month,
    scheme,
    payment_type,
    wage_cny_month,
    base_limit,
    birth_year,
    sex
from {{ ref('stg_hrss__wage_records') }}
