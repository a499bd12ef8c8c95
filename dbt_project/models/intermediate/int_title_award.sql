with

applications as (
    select * from {{ ref('fct_title_award') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

awards as (
    select
        award_id,
        person_id,
        employer_area_code,
        title_level,
        route,
        is_green_channel,
        awarded_on
    from applications
    where
        outcome = '1'
        and awarded_on is not null
),

-- valid on the day of the award, as in every stock of certificates
high_skilled as (
    select distinct awards.award_id
    from awards
    inner join certificates
        on
            awards.person_id = certificates.person_id
            and awards.awarded_on >= certificates.issued_on
            and (certificates.valid_until is null or awards.awarded_on <= certificates.valid_until)
            and (not certificates.is_revoked or awards.awarded_on < certificates.revoked_on)
    where
        certificates.certificate_type in ('01', '02')
        and certificates.level_rank >= 3
)

select
    awards.award_id,
    awards.person_id,
    awards.employer_area_code,
    awards.title_level,
    awards.route,
    awards.is_green_channel,
    awards.awarded_on,
    high_skilled.award_id is not null as is_high_skilled
from awards
left join high_skilled
    on awards.award_id = high_skilled.award_id
