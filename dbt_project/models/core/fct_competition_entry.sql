{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['certificate_number']}]) }}

select
    entrants.competition_id,
    entrants.person_id,
    -- who has neither an employer nor a school competes for the place that hosts
    {{ area_code('coalesce(entrants.county_code, competitions.host_area_code)') }} as entrant_area_code,
    competitions.contest_level,
    entrants.uscc,
    entrants.entered_on,
    entrants.certificate_number,
    entrants.birth_year,
    entrants.sex
from {{ ref('stg_hrss__competition_entrants') }} as entrants
left join {{ ref('fct_competition') }} as competitions on entrants.competition_id = competitions.competition_id
