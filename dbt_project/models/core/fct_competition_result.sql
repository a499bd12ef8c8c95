select
    result_id,
    competition_id,
    kind,
    {{ area_code('county_code') }} as leading_area_code,
    dated_on
from {{ ref('stg_hrss__competition_results') }}
