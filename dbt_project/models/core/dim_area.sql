select
    area_code,
    area_level,
    name_zh,
    name_en,
    parent_code,
    sort_order,
    valid_from,
    valid_to,
    centroid_longitude,
    centroid_latitude,
    note_zh
from {{ ref('seed_area') }}
