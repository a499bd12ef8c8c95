{#-
    The one rule for a status against a target.

    met: the target is reached. on_track: the value lies on or beyond the straight line from the baseline (its date and
    value) to the target (its date and value) at the end of the period. behind: otherwise. no_target: there is none for
    this area and period. not_judged: there is one, and no value, no baseline to draw the line from, or no round since.
-#}
{% macro target_status(value, target_value, expected_value, direction) %}
    case
        when {{ target_value }} is null then 'no_target'
        when {{ value }} is null then 'not_judged'
        when {{ direction }} = 'down' and {{ value }} <= {{ target_value }} then 'met'
        when {{ direction }} != 'down' and {{ value }} >= {{ target_value }} then 'met'
        when {{ expected_value }} is null then 'not_judged'
        when {{ direction }} = 'down' and {{ value }} <= {{ expected_value }} then 'on_track'
        when {{ direction }} != 'down' and {{ value }} >= {{ expected_value }} then 'on_track'
        else 'behind'
    end
{% endmacro %}
