with

entries as (
    select * from {{ ref('fct_competition_entry') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

-- the number must be that of a certificate of the entrant; what was annulled, without a day, was never valid
gained as (
    select
        entries.competition_id,
        entries.person_id,
        entries.entrant_area_code,
        entries.entered_on,
        max(certificates.level_rank) as level_rank
    from entries
    inner join certificates
        on
            entries.person_id = certificates.person_id
            and entries.certificate_number = certificates.certificate_number
    where
        not certificates.is_revoked
        or certificates.revoked_on is not null
    group by
        entries.competition_id,
        entries.person_id,
        entries.entrant_area_code,
        entries.entered_on
)

select * from gained
