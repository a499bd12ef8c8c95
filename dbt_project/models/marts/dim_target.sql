select
    target.target_code,
    target.plan_version,
    plan.status_zh as plan_status_zh,
    plan.status_en as plan_status_en,
    plan.issued_on as plan_issued_on,
    plan.is_in_force as is_plan_in_force,
    target.indicator_code,
    target.area_code,
    target.period_type,
    target.breakdown,
    target.breakdown_value,
    target.baseline_date,
    target.baseline_value,
    target.target_date,
    target.target_value,
    target.basis_zh,
    target.basis_en,
    target.is_confirmed,
    target.source_clause,
    target.baseline_source,
    plan.official_url as source_url,
    plan.read_in as source_read_in,
    concat(plan.issuer_zh, '《', plan.title_zh, '》,', plan.issued_on) as source_document_zh,
    concat(plan.issuer_en, ': ', plan.title_en, ', ', plan.issued_on) as source_document_en
from {{ ref('seed_target') }} as target
inner join {{ ref('seed_plan_version') }} as plan
    on target.plan_version = plan.plan_version
