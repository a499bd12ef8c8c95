{{ indicator_config() }}

with

enterprises as (
    select * from {{ ref('dim_cluster_enterprise') }}
),

assessment_bodies as (
    select * from {{ ref('fct_assessment_body') }}
),

slices as (
    {{ affected_slices() }}
),

days as (
    select distinct period_end
    from slices
),

-- of several spells on the roster the one that began last says where an enterprise stands and whether it leads
listed as (
    select
        days.period_end,
        enterprises.uscc,
        enterprises.county_code,
        enterprises.is_chain_leader,
        row_number() over (
            partition by days.period_end, enterprises.uscc
            order by enterprises.valid_from desc
        ) as spell_rank
    from enterprises
    inner join days
        on
            enterprises.valid_from <= days.period_end
            and (enterprises.valid_until is null or enterprises.valid_until >= days.period_end)
),

leaders as (
    select
        period_end,
        uscc,
        county_code as area_code
    from listed
    where
        spell_rank = 1
        and is_chain_leader
),

-- a registration that is suspended has not ended; who is registered twice is one assessor
registered as (
    select distinct
        leaders.period_end,
        leaders.uscc,
        leaders.area_code
    from leaders
    inner join assessment_bodies
        on
            leaders.uscc = assessment_bodies.uscc
            and leaders.period_end >= assessment_bodies.valid_from
            and (assessment_bodies.valid_to is null or leaders.period_end <= assessment_bodies.valid_to)
),

in_period as (
    {{ in_slices('registered', match=['period_end']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) as numerator
    from in_period
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator']) }}
