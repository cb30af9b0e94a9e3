"""A reliability diagram as text that reads the same in a terminal and on a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from editflow_trainer.calibration.reliability import Bin, Reliability

WIDTH = 41  # characters of the axis from 0 to 1
LEFT = 36  # characters before it
LEGEND = "o right   - 95 % interval (Wilson)   | confidence said   * both"


def diagram(name: str, reliability: Reliability) -> str:
    """A heading and a line a bin; the axis goes from 0 to 1."""
    heading = f"{name:<{LEFT}} 0{'.' * (WIDTH - 2)}1  hunks"
    return "\n".join([heading, *(_line(b) for b in reliability.bins)])


def diagrams(groups: Mapping[str, Reliability]) -> str:
    """The diagrams of several groups of hunks, with a legend."""
    return "\n\n".join([*(diagram(name, group) for name, group in groups.items()), LEGEND])


def table(groups: Mapping[str, Reliability]) -> str:
    """A row of Markdown a group: hunks, accuracy with its interval, expected calibration error, Brier score."""
    return "\n".join(["| edits | hunks | right | ECE | Brier |", "|---|---|---|---|---|", *_rows(groups)])


def _rows(groups: Mapping[str, Reliability]) -> Iterator[str]:
    for name, group in groups.items():
        low, high = group.right.interval
        share = f"{100 * (group.right.value or 0):.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        yield f"| {name} | {group.right.cases} | {share} | {group.ece:.3f} | {group.brier:.3f} |"


def _line(each: Bin) -> str:
    low, high = each.right.interval
    right = each.right.value or 0.0
    axis = [" "] * WIDTH
    axis[_place(low) : _place(high) + 1] = "-" * (_place(high) - _place(low) + 1)
    axis[_place(each.confidence)] = "|"
    axis[_place(right)] = "*" if _place(right) == _place(each.confidence) else "o"
    numbers = f"said {each.confidence:.2f}  right {right:.2f} ({low:.2f} to {high:.2f})"
    return f"{numbers:<{LEFT}} {''.join(axis)}  {each.right.cases:>5}"


def _place(share: float) -> int:
    """The column of a share."""
    return round(share * (WIDTH - 1))
