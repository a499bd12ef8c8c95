{{ config(indexes=[{'columns': ['listed_on']}]) }}

select
    workshop_id,
    listed_on,
    {{ area_code('county_code') }} as location_area_code,
    kind,
    uscc,
    status = '运行' as is_running,
    workers,
    workers_bound,
    monthly_gain_cny,
    monthly_gain_bound,
    last_training_on
from {{ ref('stg_organisation__prosperity_workshops') }}
