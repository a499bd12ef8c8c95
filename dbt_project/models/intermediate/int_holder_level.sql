{{ config(
    materialized='table',
    indexes=[{'columns': ['reference_date', 'person_id']}]
) }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ slices_of_readers() }}
),

-- a stock looks at the end of its period; wages go by the level that a person began the period with
reference_dates as (
    select distinct case when time_basis = 'stock' then period_end else period_start end as reference_date
    from slices
),

valid_certificates as (
    select
        reference_dates.reference_date,
        certificates.person_id,
        -- a special-ability certificate has no level: its holder is certified, and of no level
        case when certificates.certificate_type in ('01', '02') then certificates.level_rank end as level_rank
    from certificates
    inner join reference_dates
        on
            certificates.issued_on <= reference_dates.reference_date
            and (certificates.valid_until is null or certificates.valid_until >= reference_dates.reference_date)
    -- a revocation without a date was never valid
    where
        not certificates.is_revoked
        or certificates.revoked_on > reference_dates.reference_date
),

holders as (
    select
        reference_date,
        person_id,
        max(level_rank) as level_rank
    from valid_certificates
    group by reference_date, person_id
),

labelled as (
    select
        reference_date,
        person_id,
        level_rank,
        -- who holds a special-ability certificate only is not one without any
        coalesce((array['5', '4', '3', '2', '1', 'T', 'S'])[level_rank], 'special_only') as skill_level
    from holders
)

select * from labelled
