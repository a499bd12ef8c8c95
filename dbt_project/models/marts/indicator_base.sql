{{ config(materialized='view') }}

select
    {{ base_columns() }}
from {{ ref('ind_m01_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m01_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m01_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m01_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m01_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m01_6') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m02_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m02_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m02_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m02_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m03_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m03_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m03_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m03_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m03_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m04_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m04_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m04_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_3a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m05_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m06_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m06_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m06_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m06_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m07_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m07_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m07_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m07_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m08_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m08_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m09_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m09_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m09_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m09_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m10_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m10_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m11_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m11_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m11_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m11_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m12_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m12_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m12_2a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m12_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m12_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m13_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m13_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m13_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_2a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m14_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m15_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m15_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m15_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m16_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m16_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m16_2a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m16_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m17_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m17_1a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m17_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m17_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m18_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m18_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m18_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m18_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m19_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m19_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m19_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m20_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m20_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m21_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m21_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m21_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m21_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_m21_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g1_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g1_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g1_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g1_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g1_4a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g2_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g2_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g2_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g2_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g2_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_3a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_4a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_g3_4b') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_o_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_o_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_o_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_w_1') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_2') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_2a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_2b') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_3') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_4') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_5') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_5a') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_6') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_7') }}

union all

select
    {{ base_columns() }}
from {{ ref('ind_p_9') }}
