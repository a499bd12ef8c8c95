"""Small pictures for pages: SVG without a script and without a style of its own."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _EDGE = 120, 24, 3


def sparkline(trend: Sequence[tuple[str, int, int]]) -> Markup:
    """A line of the share of rows that broke a rule, delivery by delivery; its title says each.

    Args:
        trend: Delivery, rows looked at and rows that broke it, the oldest first.
    """
    shares = [unexpected / evaluated if evaluated else 0.0 for _, evaluated, unexpected in trend]
    highest = max(shares) or 1.0
    step = (_WIDTH - 2 * _EDGE) / max(len(shares) - 1, 1)
    points = [
        (_EDGE + index * step, _HEIGHT - _EDGE - share / highest * (_HEIGHT - 2 * _EDGE))
        for index, share in enumerate(shares)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    said = ", ".join(f"{delivery} {100 * share:.1f}%" for (delivery, _, _), share in zip(trend, shares, strict=True))
    x, y = points[-1]
    return Markup(
        '<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"><title>{said}</title>'
        '<polyline class="line" points="{line}"/><circle class="dot" cx="{x}" cy="{y}" r="2.5"/></svg>'
    ).format(width=_WIDTH, height=_HEIGHT, said=said, line=line, x=f"{x:.1f}", y=f"{y:.1f}")
