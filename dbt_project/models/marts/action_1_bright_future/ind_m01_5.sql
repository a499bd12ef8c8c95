{{ indicator_config() }}

with

-- the sectors' records do not say to which group a person belongs, which is not the same as to none
listed as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

affected_enterprises as (
    select * from {{ ref('dim_affected_enterprise') }}
),

priority_groups as (
    select breakdown_value
    from {{ ref('seed_breakdown_value') }}
    where
        breakdown = 'priority_group'
        and breakdown_value != 'none'
),

slices as (
    {{ affected_slices() }}
),

-- the records of who worked, on the first day, for an enterprise that was on the list that day
of_affected_staff as (
    select distinct listed.record_id
    from affected_enterprises
    inner join spells
        on
            affected_enterprises.uscc = spells.uscc
            and (affected_enterprises.valid_until is null or affected_enterprises.valid_until >= spells.start_date)
            and (spells.end_date is null or affected_enterprises.valid_from <= spells.end_date)
    inner join listed
        on
            spells.person_id = listed.person_id
            and spells.start_date <= listed.start_date
            and affected_enterprises.valid_from <= listed.start_date
            and (spells.end_date is null or spells.end_date >= listed.start_date)
            and (affected_enterprises.valid_until is null or affected_enterprises.valid_until >= listed.start_date)
),

-- group 01 is what the person declared or what the list says of the employer, once where both do
grouped as (
    select
        listed.handling_area_code,
        listed.person_id,
        listed.completion_date,
        listed.focus_sector,
        case
            when of_affected_staff.record_id is null then listed.priority_groups
            when '01' = any(string_to_array(listed.priority_groups, ',')) then listed.priority_groups
            else concat_ws(',', '01', listed.priority_groups)
        end as priority_groups
    from listed
    left join of_affected_staff
        on listed.record_id = of_affected_staff.record_id
),

placed as (
    {{ in_slices('grouped', area='handling_area_code', day='completion_date') }}
),

parts as (
    {{ total_and_parts('placed', ['focus_sector']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where priority_groups is not null) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where priority_groups is not null) as n_numerator_persons,
        count(distinct person_id) filter (where priority_groups is null) as n_complement_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

groups as (
    {{ overlapping_parts('placed', 'placed.priority_groups', 'priority_group') }}
),

-- one group of all records
of_group as (
    select
        area_code,
        period_type,
        period_end,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_numerator_persons
    from groups
    group by area_code, period_type, period_end, breakdown_value
),

by_group as (
    select
        counted.area_code,
        counted.period_type,
        counted.period_end,
        'priority_group' as breakdown,
        priority_groups.breakdown_value,
        coalesce(of_group.numerator, 0) as numerator,
        counted.denominator,
        counted.n_persons,
        coalesce(of_group.n_numerator_persons, 0) as n_numerator_persons,
        null::bigint as n_complement_persons
    from counted
    cross join priority_groups
    left join of_group
        on
            counted.area_code = of_group.area_code
            and counted.period_type = of_group.period_type
            and counted.period_end = of_group.period_end
            and priority_groups.breakdown_value = of_group.breakdown_value
    where counted.breakdown = 'total'
),

cells as (
    select * from counted
    union all
    select * from by_group
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
