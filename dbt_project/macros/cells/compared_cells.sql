{#-
    The CTEs that set cells against the year before and against targets, from a CTE `cells`; the last is `compared`. One rule
    for the exact cells and for those that are shown, so that nothing shown can follow from what is not.

    A change needs two final, known cells of the same kind of source and the same list of areas: a figure that is not
    settled yet is short, and would seem to fall. Counts that are shown in tens need a hundred in both years, and every change
    must be larger than what rounding alone could make of none: else its sign could be wrong. What it is in
    stands in seed_unit: percentage points for shares, the unit for ratios (倍), per cent otherwise; whether it says
    anything, in seed_method: a difference of growth rates is a comparison with the year before already.
-#}
{% macro compared_cells() %}
-- a list of members that changed makes two years incomparable
period_ends as (
    select distinct period_end
    from {{ ref('dim_period') }}
),

member_list as (
    select
        member.area_code,
        period_ends.period_end,
        md5(string_agg(member.county_code, ',' order by member.county_code asc)) as list_hash
    from period_ends
    inner join {{ ref('area_member') }} as member
        on
            period_ends.period_end >= member.valid_from
            and period_ends.period_end < member.valid_to
    where member.area_level = 'group'
    group by member.area_code, period_ends.period_end
),

-- what a later year may be set against: what is settled and known, and was not worked out from other figures, since that
-- may be done otherwise in the next year
settled as (
    select
        indicator_code,
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        value,
        numerator,
        is_exact,
        rounding_error,
        source_kind
    from cells
    where
        maturity = 'final'
        and value is not null
        and source_kind is distinct from 'derived'
),

-- the counties that a cell speaks of: those of its area, or those on the list that it compares with the rest
paired as (
    select
        cells.*,
        indicator.direction,
        indicator.time_basis,
        method.is_compared,
        method.numerator_is,
        unit.change_unit as kind_of_change,
        before.value as value_before,
        before.numerator as numerator_before,
        before.is_exact as is_exact_before,
        before.rounding_error as rounding_error_before,
        before.period_end as period_end_before,
        coalesce(county_list.group_code, cells.area_code) as members_code
    from cells
    inner join {{ ref('seed_indicator') }} as indicator
        on cells.indicator_code = indicator.indicator_code
    inner join {{ ref('seed_method') }} as method
        on indicator.method = method.method
    inner join {{ ref('seed_unit') }} as unit
        on indicator.unit_zh = unit.unit_zh
    left join settled as before
        on
            cells.indicator_code = before.indicator_code
            and cells.area_code = before.area_code
            and cells.period_type = before.period_type
            and cells.prior_year_end = before.period_end
            and cells.breakdown = before.breakdown
            and cells.breakdown_value = before.breakdown_value
            and cells.maturity = 'final'
            and cells.source_kind is not distinct from before.source_kind
    left join {{ ref('seed_county_list') }} as county_list
        on
            cells.breakdown = 'list'
            and cells.breakdown_value = county_list.list_code
),

changed as (
    select
        paired.*,
        case
            when not paired.is_compared then null
            when not coalesce(list_now.list_hash = list_before.list_hash, true) then null
            -- of counts shown in tens a change of small ones would be mostly rounding
            when
                paired.kind_of_change = 'percent'
                and paired.numerator_is = 'count'
                and not (paired.is_exact and paired.is_exact_before)
                and least(paired.numerator, paired.numerator_before) < {{ smallest_count_compared() }}
                then null
            when
                abs(paired.value - paired.value_before) < paired.rounding_error + paired.rounding_error_before
                then null
            when paired.kind_of_change = 'percent'
                then round((paired.value / nullif(paired.value_before, 0) - 1) * 100, 2)
            else round(paired.value - paired.value_before, 4)
        end as change_on_year
    from paired
    left join member_list as list_now
        on
            paired.members_code = list_now.area_code
            and paired.period_end = list_now.period_end
    left join member_list as list_before
        on
            paired.members_code = list_before.area_code
            and paired.period_end_before = list_before.period_end
),

-- where two versions of the plan state the same target, the one in force counts, then the later one
stated_target as (
    select
        stated.*,
        row_number() over (
            partition by
                stated.indicator_code,
                stated.area_code,
                stated.period_type,
                stated.breakdown,
                stated.breakdown_value,
                stated.target_date
            order by plan_version.is_in_force desc, plan_version.issued_on desc, plan_version.plan_version desc
        ) as choice
    from {{ ref('seed_target') }} as stated
    inner join {{ ref('seed_plan_version') }} as plan_version
        on stated.plan_version = plan_version.plan_version
),

-- the baseline is the seed's, or the indicator itself in the period that ends on the day of the baseline
target as (
    select
        stated_target.indicator_code,
        stated_target.area_code,
        stated_target.period_type,
        stated_target.breakdown,
        stated_target.breakdown_value,
        stated_target.baseline_date,
        stated_target.target_date,
        stated_target.target_value,
        stated_target.rounds_of,
        coalesce(stated_target.baseline_value, own.value) as baseline_value
    from stated_target
    left join cells as own
        on
            stated_target.indicator_code = own.indicator_code
            and stated_target.area_code = own.area_code
            and stated_target.period_type = own.period_type
            and stated_target.breakdown = own.breakdown
            and stated_target.breakdown_value = own.breakdown_value
            and stated_target.baseline_date = own.period_end
    where stated_target.choice = 1
),

-- Of several dated targets a period is held against the next one whose day is not past: what flows against the one of its
-- own time, what stands against the step that it is on; past them all a stock is held against the last for good.
held_against as (
    select
        target.indicator_code,
        target.area_code,
        target.period_type,
        target.breakdown,
        target.breakdown_value,
        periods.period_end,
        coalesce(
            min(target.target_date) filter (where target.target_date >= periods.period_end),
            max(target.target_date)
        ) as target_date
    from target
    inner join {{ ref('seed_indicator') }} as indicator
        on target.indicator_code = indicator.indicator_code
    inner join {{ ref('dim_period') }} as periods
        on
            target.period_type = periods.period_type
            and target.baseline_date < periods.period_end
            and (
                indicator.time_basis is distinct from 'flow'
                or (periods.period_start > target.baseline_date and periods.period_end <= target.target_date)
            )
    group by
        target.indicator_code,
        target.area_code,
        target.period_type,
        target.breakdown,
        target.breakdown_value,
        periods.period_end
),

-- what grows by rounds stands still between them: it is held against the line where it stood at the last one
last_round as (
    select
        rounds.roster,
        period_ends.period_end,
        max(rounds.announced_on) as announced_on
    from period_ends
    inner join {{ ref('int_recognition_round') }} as rounds
        on period_ends.period_end >= rounds.announced_on
    group by rounds.roster, period_ends.period_end
),

dated as (
    select
        changed.*,
        target.target_value,
        target.baseline_value,
        target.baseline_date,
        target.target_date,
        case
            when target.rounds_of is null then changed.period_end
            -- while no round was announced after the baseline, there is nothing to judge
            when last_round.announced_on > target.baseline_date then last_round.announced_on
        end as judged_on
    from changed
    left join held_against
        on
            changed.indicator_code = held_against.indicator_code
            and changed.area_code = held_against.area_code
            and changed.period_type = held_against.period_type
            and changed.breakdown = held_against.breakdown
            and changed.breakdown_value = held_against.breakdown_value
            and changed.period_end = held_against.period_end
    left join target
        on
            held_against.indicator_code = target.indicator_code
            and held_against.area_code = target.area_code
            and held_against.period_type = target.period_type
            and held_against.breakdown = target.breakdown
            and held_against.breakdown_value = target.breakdown_value
            and held_against.target_date = target.target_date
    left join last_round
        on
            target.rounds_of = last_round.roster
            and changed.period_end = last_round.period_end
),

aimed as (
    select
        *,
        (least(period_end, target_date) - baseline_date)::numeric
        / nullif(target_date - baseline_date, 0) as share_of_time,
        -- the least of no day and the target's would be the target's
        case
            when judged_on is not null
                then (least(judged_on, target_date) - baseline_date)::numeric / nullif(target_date - baseline_date, 0)
        end as share_of_path
    from dated
),

expected as (
    select
        *,
        baseline_value + (target_value - baseline_value) * share_of_path as expected_value
    from aimed
),

-- progress is towards a target that is reached from below; an upper limit is kept or not
compared as (
    select
        expected.*,
        case when direction != 'down' then round(value / nullif(target_value, 0) * 100, 2) end as target_progress,
        case
            when direction != 'down' and value is not null
                then round(expected_value / nullif(target_value, 0) * 100, 2)
        end as due_progress,
        round(share_of_time * 100, 2) as time_progress,
        {{ target_status(
            'value', 'target_value', 'expected_value', 'direction'
        ) }} as status,
        case when change_on_year is not null then kind_of_change end as change_unit,
        -- of a ratio of two shares the sides are the shares, in per cent
        case
            when comparison_denominator is null then numerator
            else round(100 * numerator / nullif(denominator, 0), 4)
        end as side_numerator,
        case
            when comparison_denominator is null then denominator
            else round(100 * comparison_numerator / nullif(comparison_denominator, 0), 4)
        end as side_denominator,
        case
            -- what cannot be known yet is not hidden: whoever waits for it will see what becomes of it
            when not is_supplied then 'not_supplied'
            when is_immature then 'immature'
            when is_suppressed then 'suppressed'
            when value is null then 'not_applicable'
            else 'reported'
        end as value_status
    from expected
)
{% endmacro %}
