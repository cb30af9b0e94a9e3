"""What a person reads at the end: what was mined, what was learned from, before and after, and what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from editflow.document import shown
from editflow.patch import visible
from editflow_trainer.evaluation.report import BOOTSTRAP
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.mining.store import Entry
from editflow_trainer.personal.card import comparison
from editflow_trainer.personal.console import clock
from editflow_trainer.personal.plan import Plan
from editflow_trainer.personal.result import Cost, Material, Result

INTERVALS = BOOTSTRAP.replace("repository, solution or function", "commits")
"""What the brackets are."""
STAGES = ("commits", "files", "edits")
"""Of mining."""
CONVENTIONS = 8
"""Shown on a terminal; the report shows more."""
NOTHING = "(nothing)"
Row = tuple[str, ...]


def print_result(result: Result, report: Path, output: Path | None, console: Console) -> None:
    """What it was made of, the comparison, the cost, and the decision last."""
    _print_material(result.material, {}, console)
    console.print(table(("held out", "cases", *compared(result)), comparison(result)))
    _say(console, INTERVALS)
    _say(console, cost_line(result.cost))
    _say(console, f"report: {shown(report)}")
    _say(console, decision_line(result, output))


def print_plan(plan: Plan, console: Console) -> None:
    """What would be used, how long it would take, and where it would go."""
    _print_material(plan.material, plan.dates, console)
    if outcomes := plan.material.accepted + plan.material.rejected:
        _say(console, f"{outcomes} decisions recorded in editors would be used")
    place = f"on {plan.device}, of {plan.model}, into {shown(plan.place)}"
    _say(console, f"would train {plan.method} for {clock(plan.seconds)} in all {place}")
    _say(console, "nothing was trained or installed: leave --dry-run out")


def compared(result: Result) -> tuple[str, str]:
    """The names of what `comparison` compares."""
    return result.before.model, adapter_name(result)


def adapter_name(result: Result) -> str:
    """The adapter's own name, without its base's."""
    return result.after.model.partition("+")[2] or result.after.model


def decision_line(result: Result, output: Path | None = None) -> str:
    """What happens from now on, and why."""
    name, reason = adapter_name(result), result.decision.reason
    if result.decision.install and output is not None:
        return f"{name} is better and written to {shown(output)}: {reason}"
    if result.decision.install:
        where = "editflow fix, the reviewer and the editors use it here by themselves from now on"
        return f"{name} is installed; {where}: {reason}"
    kept = "the default" if result.current is None else "the adapter in use"
    return f"{kept} is kept, {name} is not installed: {reason}"


def cost_line(cost: Cost) -> str:
    """Time by stage, steps and memory."""
    stages = ", ".join(f"{name} {clock(seconds)}" for name, seconds in cost.seconds.items())
    threads = f" with {cost.threads} thread{'s' * (cost.threads != 1)}" if cost.device == "cpu" else ""
    total = clock(sum(cost.seconds.values()))
    return f"took {total} on {cost.device}{threads} ({stages}), {cost.steps} steps, {cost.memory_mb:,.0f} MB at most"


def mined_rows(entry: Entry) -> list[Row]:
    """Commits, files and edits: seen, dropped by each filter, kept. Credentials always have a row."""
    stages = [getattr(entry, name) for name in STAGES]
    dropped = sum((Counter(stage.dropped) for stage in stages), Counter[Reason]())
    dropped[Reason.secret] += 0
    rows = [("seen", *(str(stage.seen) for stage in stages))]
    for reason, _ in dropped.most_common():
        none = "0" if reason is Reason.secret else ""
        rows.append((_filter(reason), *(str(stage.dropped[reason] or none) for stage in stages)))
    return [*rows, ("kept", *(str(stage.kept) for stage in stages))]


def material_rows(material: Material, dates: Mapping[str, str]) -> list[Row]:
    """What there is to learn from and to prove it, with the days of the commits where they are known."""
    rows = [
        ("edits of functions in older commits", material.trained, "train"),
        ("  of these, the change recurs or the message spells it out", material.taught, ""),
        ("renames made in its own code", material.renames, ""),
        ("functions of its own code", material.functions, ""),
        ("functions of Python's standard library, lest others' code be forgotten", material.replayed, ""),
        ("proposals accepted in editors", material.accepted, ""),
        ("proposals rejected in editors", material.rejected, ""),
        ("edits of newer commits, to settle when to propose", material.tuning, "tuning"),
        ("edits of the newest commits, held out", material.held_out, "held_out"),
    ]
    return [(name, str(count), dates.get(part, "")) for name, count, part in rows]


def convention_rows(material: Material, most: int) -> list[Row]:
    """The changes of more than punctuation made most often: what goes, what comes, in how many edits."""
    worded = [one for one in material.conventions if any(map(str.isalnum, one[0] + one[1]))]
    return [(old or NOTHING, new or NOTHING, str(count)) for old, new, count in worded[:most]]


def sorts_of(entry: Entry) -> Iterator[str]:
    """The kept edits by level, by language, and the fixes among them by kind."""
    for name, counts in (("levels", entry.levels), ("languages", entry.languages), ("fixes", entry.kinds)):
        listed = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in counts.most_common())
        yield f"{name}: {listed or 'none'}"


def table(header: Sequence[str], rows: Sequence[Row], left: int = 1) -> Table:
    """A table whose first `left` columns are words and whose others are numbers."""
    made = Table()
    for place, name in enumerate(header):
        made.add_column(Text(name), justify="left" if place < left else "right")
    for row in rows:
        made.add_row(*(Text(visible(cell)) for cell in row))
    return made


def _print_material(material: Material, dates: Mapping[str, str], console: Console) -> None:
    console.print(table(("mined", *STAGES), mined_rows(material.entry)))
    for line in sorts_of(material.entry):
        _say(console, line)
    header = ("learned from", "count", *(["commits of"] if dates else []))
    console.print(table(header, [row[: len(header)] for row in material_rows(material, dates)]))
    if rows := convention_rows(material, CONVENTIONS):
        console.print(table(("most frequent changes: out", "in", "edits"), rows, left=2))


def _filter(reason: Reason) -> str:
    """A filter for people."""
    return "secret (credentials)" if reason is Reason.secret else reason.replace("_", " ")


def _say(console: Console, line: str) -> None:
    console.print(visible(line), markup=False, highlight=False)
