{{ config(indexes=[{'columns': ['member_uscc']}]) }}

select
    members.ecosystem_id,
    {{ area_code('ecosystems.location_area_code') }} as location_area_code,
    members.member_uscc,
    members.joined_on,
    members.left_on
from {{ ref('stg_hrss__skill_ecosystem_members') }} as members
left join {{ ref('fct_skill_ecosystem') }} as ecosystems on members.ecosystem_id = ecosystems.ecosystem_id
