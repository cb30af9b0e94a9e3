"""An HTML page about runs: their tables, and cases pass by pass. It needs no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from editflow.patch import visible
from editflow.proposal import Proposal
from editflow_trainer.evaluation.markup import marked_excerpt
from editflow_trainer.evaluation.report import interval_notes

if TYPE_CHECKING:
    from editflow.step import Step
    from editflow_trainer.evaluation.case import Fixer
    from editflow_trainer.evaluation.exhibit import Exhibit
    from editflow_trainer.evaluation.measure import Run
    from editflow_trainer.evaluation.report import Report, Row

MOST_CASES = 50
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.35rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .15rem .7rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #8c959f; }
tbody + tbody tr:first-child td { border-top: 1px solid #d0d7de; }
section { border: 1px solid #d0d7de; border-left: 6px solid #cf222e; border-radius: 4px; margin: 1.2rem 0;
  padding: .8rem 1rem; } section.right { border-left-color: #1a7f37; }
pre { background: #f6f8fa; margin: .3rem 0 .9rem; overflow-x: auto; padding: .5rem; }
pre .n { color: #6e7781; user-select: none; } pre .gap { color: #6e7781; }
del { background: #ffd7d5; } ins { background: #aceebb; text-decoration: none; }
p { margin: .3rem 0; } .what { color: #57606a; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; } figcaption { font-size: .85rem; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3; } pre { background: #161b22; }
  del { background: #67060c; } ins { background: #055d20; } .what { color: #9198a1; }
}
"""


def page(runs: Sequence[Run], fixer: Fixer) -> str:
    """The whole page; the cases that it shows run once more, for their passes."""
    title = ", ".join(run.report.suite for run in runs)
    return document(title, "\n".join(_run(run, fixer) for run in runs))


def _run(run: Run, fixer: Fixer) -> str:
    report, shown = run.report, chosen(run.exhibits)
    notes = (*report.notes, *interval_notes(report.rows))
    parts = [
        f"<h1>{plain(report.heading)}</h1>",
        _settings(report),
        *(_table(rows) for rows in report.blocks()),
        *(f"<p class='what'>{plain(note)}</p>" for note in notes),
        f"<h2>{len(shown)} of {len(run.exhibits)} cases, failures first</h2>",
        *(case_section(exhibit, list(fixer.fix(exhibit.request))) for exhibit in shown),
    ]
    return "\n".join(parts)


def chosen(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    """At most MOST_CASES: what went wrong with a proposal, then without one, then what went right."""
    return sorted(exhibits, key=lambda exhibit: (exhibit.right, not exhibit.proposed))[:MOST_CASES]


def document(title: str, body: str) -> str:
    """The page around a body."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width'>"
        f"<title>EditFlow: {plain(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _settings(report: Report) -> str:
    given = {name: value for name, value in report.settings.items() if value is not None}
    items = "".join(f"<dt>{plain(name)}</dt><dd>{plain(str(value))}</dd>" for name, value in given.items())
    return f"<dl>{items}</dl>"


def _table(rows: Sequence[Row]) -> str:
    """One table body for each section."""
    names = [name.replace("_", " ") for name in ("", "cases", *rows[0].columns)]
    sections = groupby(rows, key=lambda row: row.section)
    return table(names, *([row.cells() for row in section] for _, section in sections))


def table(header: Sequence[str], *bodies: Iterable[Sequence[str]]) -> str:
    """Words on the left, numbers on the right; a rule between two bodies."""
    head = "".join(f"<th>{plain(name)}</th>" for name in header)
    lines = "".join(f"<tbody>{''.join(map(_line, body))}</tbody>" for body in bodies)
    return f"<table><thead><tr>{head}</tr></thead>{lines}</table>"


def _line(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{plain(cell)}</td>' for cell in cells)}</tr>"


def case_section(
    exhibit: Exhibit, steps: Sequence[Step], others: Mapping[str, Proposal] = MappingProxyType({})
) -> str:
    """One case: what was asked, every pass that changes something, what is offered and what is right.

    `others` are what other models offer, by their names.
    """
    right = Proposal.from_texts(exhibit.request.document, exhibit.expected)
    passes = [step for step, *_ in _alike(steps)]
    touched = [*others.values(), *(step.proposal for step in passes), right]
    parts = [f"<h3>{plain(exhibit.name)}: {plain(exhibit.verdict)}</h3>", *_asked(exhibit)]
    for name, proposal in others.items():
        parts.append(_flow(f"{name} offers{_sureness(proposal)}", proposal, touched))
    for step in passes:
        title = f"pass {step.index}" if not step.done else "offered"
        parts.append(_flow(f"{title}{_sureness(step.proposal)}", step.proposal, touched))
    parts.append(_flow("right", right, touched))
    return f"<section{' class=right' if exhibit.right else ''}>" + "\n".join(parts) + "</section>"


def _alike(steps: Sequence[Step]) -> list[list[Step]]:
    """Runs of passes with one proposal; what is offered is a run of its own."""
    return [list(run) for _, run in groupby(steps, key=lambda step: (step.done, step.proposal))]


def _asked(exhibit: Exhibit) -> list[str]:
    request = exhibit.request
    lines = f"lines {request.lines[0]} to {request.lines[1]}" if request.lines else "the whole file"
    told = [f"may change {lines}"]
    told += [f"told: {request.instruction}"] if request.instruction else []
    told += [f"complaint: {diagnostic.message}" for diagnostic in request.diagnostics or ()]
    return [f"<p class='what'>{plain(line)}</p>" for line in told]


def _sureness(proposal: Proposal) -> str:
    """The confidence of each hunk, in the order of the text."""
    sure = ", ".join(f"{hunk.confidence:.2f}" for hunk in proposal.hunks)
    return f", confidence {sure}" if sure else ", no change"


def _flow(title: str, proposal: Proposal, touched: Sequence[Proposal]) -> str:
    """The lines with their marks; the title alone where nothing changes."""
    if not proposal.hunks:
        return f"<p>{plain(title)}</p>"
    return f"<p>{plain(title)}</p><pre>{marked_excerpt(proposal, touched)}</pre>"


def plain(text: str) -> str:
    """Text as it reads: nothing in it is markup, or moves what stands beside it."""
    return escape(visible(text))
