"""The page about one training: decision, before and after, loss curves, examples pass by pass, and what was mined.

It is one file that needs no script and nothing from elsewhere, and it stays where only its owner may read it: it
shows code of the repository.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from editflow_trainer.evaluation.case import Fixer
from editflow_trainer.evaluation.page import case_section, document, plain, table
from editflow_trainer.personal.card import comparison
from editflow_trainer.personal.examples import Group, groups_of
from editflow_trainer.personal.material import Gathered
from editflow_trainer.personal.plan import dates_of
from editflow_trainer.personal.result import Material, Result
from editflow_trainer.personal.tables import (
    INTERVALS,
    STAGES,
    compared,
    convention_rows,
    cost_line,
    decision_line,
    material_rows,
    mined_rows,
    sorts_of,
)
from editflow_trainer.personal.workspace import Workspace
from editflow_trainer.training.curves import chart
from editflow_trainer.training.logs import LOG, read_log

CONVENTIONS = 20
_BESIDE = {"step", "norm", "rate", "progress", "tokens_per_second", "memory_mb", "elapsed", "loss"}
"""What a line of the log holds besides the terms of the loss."""


def write_report(
    result: Result,
    gathered: Gathered,
    base: Fixer,
    adapted: Fixer,
    space: Workspace,
    output: Path | None = None,
) -> None:
    """Write it to the workspace, whole or not at all; the cases that it shows run once more, for their passes.

    `output` is where the adapter goes if it is not to be installed.
    """
    log = read_log(space.run / LOG)
    parts = [*_head(result, output), *_curves(log), *_examples(result, gathered, base, adapted)]
    parts += _learned(result.material, gathered)
    partial = space.report.with_suffix(".partial")
    partial.write_text(document(result.target.short, "\n".join(parts)), encoding="utf-8")
    os.replace(partial, space.report)


def _head(result: Result, output: Path | None) -> Iterator[str]:
    target = result.target
    outcome = "an adapter that is better" if result.decision.install else "the default is not beaten"
    yield f"<h1>{plain(target.name)}: {outcome}</h1>"
    yield f"<p>{plain(decision_line(result, output))}</p>"
    yield table(("held out", "cases", *compared(result)), comparison(result))
    yield _note(f"Shares with their intervals {INTERVALS}.")
    yield _note(f"Commit {target.head[:10]}, method {result.method}; {cost_line(result.cost)}.")


def _curves(log: Sequence[dict[str, float]]) -> Iterator[str]:
    """Loss, its terms, learning rate and speed over the steps."""
    terms = [name for name in (log[0] if log else {}) if name not in _BESIDE]
    charts = {
        "loss": {"loss": _series(log, "loss")},
        "terms, nats an event": {name: _series(log, name) for name in terms},
        "learning rate, share of the peak": {"rate": _series(log, "rate")},
        "tokens a second": {"tokens/s": _series(log, "tokens_per_second")},
    }
    yield "<h2>Training</h2>"
    yield f"<div class='charts'>{''.join(chart(title, series) for title, series in charts.items())}</div>"


def _series(log: Sequence[dict[str, float]], name: str) -> list[tuple[float, float]]:
    return [(line["step"], line[name]) for line in log if name in line]


def _examples(result: Result, gathered: Gathered, base: Fixer, adapted: Fixer) -> Iterator[str]:
    default, name = compared(result)
    groups = list(groups_of(result, gathered.held_out))
    yield f"<h2>Held-out cases, as {plain(name)} edits them</h2>"
    yield table(("", "cases", "shown"), [(g.title, str(g.count), str(len(g.shown))) for g in groups])
    for group in groups:
        if group.shown:
            yield f"<h2>{plain(group.title[:1].upper() + group.title[1:])}</h2>"
            yield from _cases(group, base, adapted, default)


def _cases(group: Group, base: Fixer, adapted: Fixer, default: str) -> Iterator[str]:
    """The adapter's passes beside what the default offers."""
    before = base.fix_many([exhibit.request for exhibit in group.shown])
    for exhibit, step in zip(group.shown, before, strict=True):
        yield case_section(exhibit, list(adapted.fix(exhibit.request)), {default: step.proposal})


def _learned(material: Material, gathered: Gathered) -> Iterator[str]:
    yield "<h2>What it learned from</h2>"
    yield table(("", "count", "commits of"), material_rows(material, dates_of(gathered.split)))
    if conventions := convention_rows(material, CONVENTIONS):
        yield "<h2>Changes that its history makes most often</h2>"
        yield table(("out → in", "edits"), [(f"{old} → {new}", count) for old, new, count in conventions])
    yield "<h2>What was mined</h2>"
    yield table(("", *STAGES), mined_rows(material.entry))
    yield from (_note(line) for line in sorts_of(material.entry))
    kinds = material.entry.kinds
    shares = [
        (kind.replace("_", " "), str(count), f"{count / kinds.total():.1%}")
        for kind, count in kinds.most_common()
    ]
    yield table(("fixes of functions by kind", "count", "share"), shares)


def _note(text: str) -> str:
    return f"<p class='what'>{plain(text)}</p>"
