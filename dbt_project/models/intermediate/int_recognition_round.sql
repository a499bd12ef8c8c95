with

enterprises as (
    select * from {{ ref('fct_skill_enterprise') }}
),

villages as (
    select * from {{ ref('fct_skill_village') }}
),

recognised as (
    select
        'skill_enterprises' as roster,
        recognition_round,
        recognised_on
    from enterprises
    union all
    select
        'skill_villages' as roster,
        recognition_round,
        recognised_on
    from villages
),

rounds as (
    select
        roster,
        recognition_round,
        max(recognised_on) as announced_on
    from recognised
    where recognition_round is not null
    group by roster, recognition_round
)

select * from rounds
