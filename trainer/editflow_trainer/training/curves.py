"""Line charts as inline SVG, for pages that need neither a script nor a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Series = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 380, 210, 52, 24, 8  # pixels
COLOURS = ("#2f6fde", "#d1495b", "#2a9d5c", "#b07d12", "#7b4fc9", "#4a9aa8")
MOST_POINTS = 400


def chart(title: str, series: Mapping[str, Series]) -> str:
    """A figure with one line for each series that has points, on common axes."""
    drawn = {name: thinned(points) for name, points in series.items() if points}
    if not drawn:
        return ""
    every = [point for points in drawn.values() for point in points]
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)
    lines, legend = [], []
    for index, (name, points) in enumerate(drawn.items()):
        colour = COLOURS[index % len(COLOURS)]
        places = " ".join(
            f"{_scale(x, left, right, LEFT, WIDTH - 6):.1f},{_scale(y, low, high, HEIGHT - BOTTOM, TOP):.1f}"
            for x, y in points
        )
        lines.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        legend.append(f'<span style="color:{colour}">{escape(name)}</span>')
    body = _axes(left, right, low, high) + "".join(lines)
    caption = f"{escape(title)}: {', '.join(legend)}"
    return f'<figure><svg width="{WIDTH}" height="{HEIGHT}">{body}</svg><figcaption>{caption}</figcaption></figure>'


def thinned(points: Series) -> Series:
    """At most MOST_POINTS points, each the mean of neighbours."""
    size = -(-len(points) // MOST_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (end - start) * ((value - low) / (high - low) if high > low else 0.5)


def _axes(left: float, right: float, low: float, high: float) -> str:
    """Both axes with their smallest and largest value."""
    floor = HEIGHT - BOTTOM
    rules = f'<path d="M{LEFT} {TOP}V{floor}H{WIDTH - 6}" fill="none" stroke="#999"/>'
    labels = (
        (LEFT - 4, TOP + 9, "end", high),
        (LEFT - 4, floor, "end", low),
        (LEFT, HEIGHT - 8, "start", left),
        (WIDTH - 6, HEIGHT - 8, "end", right),
    )
    texts = (f'<text x="{x}" y="{y}" text-anchor="{side}">{value:.4g}</text>' for x, y, side, value in labels)
    return rules + "".join(texts)
