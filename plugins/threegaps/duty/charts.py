"""Small pictures for pages: SVG without a script and without a style of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from threegaps.duty.speaking import percent

_WIDTH, _HEIGHT, _EDGE = 120, 24, 3
_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_MOST_DOTS = 80
"""Of more points than that only those have a dot that are out of the usual, and the last one."""


def sparkline(trend: Sequence[tuple[str, int, int]]) -> Markup:
    """A line of the share of rows that broke a rule, delivery by delivery; its title says each.

    Args:
        trend: Delivery, rows looked at and rows that broke it, the oldest first.
    """
    shares = [max(unexpected / evaluated, 0.0) if evaluated else 0.0 for _, evaluated, unexpected in trend]
    highest = max(shares) or 1.0
    step = (_WIDTH - 2 * _EDGE) / max(len(shares) - 1, 1)
    points = [
        (_EDGE + index * step, _HEIGHT - _EDGE - share / highest * (_HEIGHT - 2 * _EDGE))
        for index, share in enumerate(shares)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    said = ", ".join(
        f"{delivery} {percent(100 * share)}" for (delivery, _, _), share in zip(trend, shares, strict=True)
    )
    x, y = points[-1]
    return Markup(
        '<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"><title>{said}</title>'
        '<polyline class="line" points="{line}"/><circle class="dot" cx="{x}" cy="{y}" r="2.5"/></svg>'
    ).format(width=_WIDTH, height=_HEIGHT, said=said, line=line, x=f"{x:.1f}", y=f"{y:.1f}")


@dataclass(frozen=True, slots=True)
class Point:
    """A value of one delivery.

    Args:
        at: Where it stands on the line of time: any number that grows with it.
        value: What is below nothing is drawn as nothing.
        low: The least that is usual; None where that cannot be told.
        high: The most.
        is_out: Whether it is marked.
        title: What is said of it.
        href: Where more of it stands.
    """

    at: float
    value: float
    low: float | None
    high: float | None
    is_out: bool
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Size:
    """How large a picture is, in its own units; it is drawn as wide as its place.

    Args:
        left: What is left for the ticks.
        bottom: What is left for the line of time.
        is_small: Whether only the highest tick and the marked points are shown.
    """

    width: int
    height: int
    left: int
    bottom: int
    is_small: bool = False


LARGE = Size(420, 150, 44, 16)
SMALL = Size(320, 76, 40, 14, is_small=True)


def line_chart(
    points: Sequence[Point], *, label: str, ends: tuple[str, str], tick: Callable[[float], str], size: Size = LARGE
) -> Markup:
    """A line over time with the usual range shaded; each point leads to its delivery, one that is out is marked.

    Args:
        points: The oldest first; one at least.
        label: What the picture shows.
        ends: What is said below the first point and below the last.
        tick: How a value is said at the side.
        size: How large.
    """
    top = _ceiling(points)
    # Half a dot is kept free at the edges.
    left, right, upper, lower = size.left, size.width - 5, 6, size.height - size.bottom
    first, span = points[0].at, (points[-1].at - points[0].at) or 1.0
    xs = [left + 5 + (one.at - first) / span * (right - left - 5) for one in points] if len(points) > 1 else [right]

    def y(value: float) -> float:
        return lower - min(max(value, 0.0), top) / top * (lower - upper)

    parts = [
        f'<svg class="chart" viewBox="0 0 {size.width} {size.height}" role="img" aria-label="{escape(label)}">',
        *_axes(size, top, (left, right, upper, lower), ends, tick),
        *(f'<polygon class="usual" points="{one}"/>' for one in _ranges(points, xs, y)),
        f'<polyline class="line" points="{_line(zip(xs, (y(one.value) for one in points), strict=True))}"/>',
    ]
    last = len(points) - 1
    is_crowded = size.is_small or len(points) > _MOST_DOTS
    for index, (one, x) in enumerate(zip(points, xs, strict=True)):
        is_seen = one.is_out or index == last or not is_crowded
        if size.is_small and not is_seen:
            continue
        before = (xs[index - 1] + x) / 2 if index else x - 5
        after = (xs[index + 1] + x) / 2 if index < last else x + 5
        dot = f'<circle class="dot{" out" if one.is_out else ""}" cx="{x:.1f}" cy="{y(one.value):.1f}" r="3"/>'
        strip = f'<rect class="hit" x="{before:.1f}" y="0" width="{max(after - before, 1):.1f}" height="{lower}"/>'
        # A chart of two years of days would else be seven hundred stops of the keyboard.
        stop = "" if is_seen else ' tabindex="-1"'
        parts.append(
            f'<a href="{escape(one.href)}" aria-label="{escape(one.title)}"{stop}><title>{escape(one.title)}</title>'
            f"{strip}{dot if is_seen else ''}</a>"
        )
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  # every text in it is escaped


def _ceiling(points: Sequence[Point]) -> float:
    """The top of the picture, a round number: all values lie below it, and as much of the usual range as is of use."""
    highest = max(0.0, *(one.value for one in points))
    usual = max((one.high for one in points if one.high is not None and one.high > 0), default=0.0)
    wanted = max(highest, min(usual, 2 * highest)) or usual or 1.0
    scale = 10.0 ** math.floor(math.log10(wanted))
    return next(step * scale for step in _STEPS if step * scale >= wanted * (1 - 1e-9))


def _axes(
    size: Size, top: float, edges: tuple[int, int, int, int], ends: tuple[str, str], tick: Callable[[float], str]
) -> Iterator[str]:
    left, right, upper, lower = edges
    for value in (0.0, top) if size.is_small else (0.0, top / 2, top):
        y = lower - value / top * (lower - upper)
        yield f'<line class="axis" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{escape(tick(value))}</text>'
    if ends[0] != ends[1]:
        yield f'<text x="{left}" y="{size.height - 2}">{escape(ends[0])}</text>'
    yield f'<text x="{right}" y="{size.height - 2}" text-anchor="end">{escape(ends[1])}</text>'


def _ranges(points: Sequence[Point], xs: Sequence[float], y: Callable[[float], float]) -> Iterator[str]:
    """The outline of each stretch of which the usual range can be told."""
    above: list[tuple[float, float]] = []
    below: list[tuple[float, float]] = []
    for one, x in zip(points, xs, strict=True):
        if one.low is not None and one.high is not None:
            above.append((x, y(one.high)))
            below.append((x, y(one.low)))
        elif above:
            yield _line([*above, *reversed(below)])
            above, below = [], []
    if len(above) > 1:
        yield _line([*above, *reversed(below)])


def _line(places: Iterable[tuple[float, float]]) -> str:
    """Places of a line without those in the midst of a level stretch, which say nothing."""
    kept: list[tuple[str, str]] = []
    for x, y in places:
        said = f"{x:.1f}", f"{y:.1f}"
        if len(kept) > 1 and kept[-1][1] == kept[-2][1] == said[1]:
            kept[-1] = said
        else:
            kept.append(said)
    return " ".join(f"{x},{y}" for x, y in kept)
