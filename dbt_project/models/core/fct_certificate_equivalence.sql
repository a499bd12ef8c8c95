select
    entry_id,
    industry_certificate,
    occupation_code,
    -- a directory of the province belongs to no county
    '339900' as issue_area_code,
    valid_from,
    valid_to
from {{ ref('stg_hrss__certificate_equivalences') }}
