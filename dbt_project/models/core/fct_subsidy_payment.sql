{{ config(indexes=[{'columns': ['enrollment_id']}]) }}

select
    payment_id,
    reverses_payment_id,
    enrollment_id,
    {{ area_code('county_code') }} as paying_area_code,
    amount_cny,
    paid_on
from {{ ref('stg_finance__training_subsidies') }}
