{{ indicator_config() }}

with

published_figures as (
    select * from {{ ref('seed_published_skill_share') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    {{ published_cells('published_figures', 'skilled_10k') }}
)

{{ base_cells(['value']) }}
