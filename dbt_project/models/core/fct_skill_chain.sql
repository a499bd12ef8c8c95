select
    chains.chain_id,
    chains.ecosystem_id,
    {{ area_code('ecosystems.location_area_code') }} as location_area_code,
    chains.valid_from,
    chains.valid_to
from {{ ref('stg_hrss__skill_chains') }} as chains
left join {{ ref('fct_skill_ecosystem') }} as ecosystems on chains.ecosystem_id = ecosystems.ecosystem_id
