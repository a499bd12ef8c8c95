with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

rounds as (
    select
        'skill_enterprises' as roster,
        recognition_round,
        max(recognised_on) as announced_on
    from enterprises
    where recognition_round is not null
    group by recognition_round
)

select * from rounds
