{{ config(indexes=[{'columns': ['work_area_code']}]) }}

with

apprenticeships as (
    select
        *,
        (planned_end_date + interval '6 months')::date as window_end
    from {{ ref('fct_apprenticeship') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
    where certificate_type in ('01', '02')
),

-- whoever left early stays in, and may be certified
certified as (
    select
        apprenticeships.apprenticeship_id,
        apprenticeships.person_id,
        apprenticeships.work_area_code,
        apprenticeships.planned_end_date,
        apprenticeships.target_level_code as target_level,
        exists(
            select 1
            from certificates
            where
                certificates.person_id = apprenticeships.person_id
                and certificates.level_rank >= apprenticeships.target_level_rank
                and certificates.issued_on between apprenticeships.start_date and apprenticeships.window_end
                and (
                    not certificates.is_revoked
                    or certificates.revoked_on > apprenticeships.window_end
                )
        ) as is_certified
    from apprenticeships
)

select * from certified
