"""What a training came to: what it was made of, how the default and the adapter do, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from editflow.adapters.adapter import Adapter
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.mining.store import Entry
from editflow_trainer.personal.gate import Decision
from editflow_trainer.personal.lessons import Conventions
from editflow_trainer.personal.material import Gathered
from editflow_trainer.personal.options import Method, Target
from editflow_trainer.personal.scores import Scores

SHOWN_CONVENTIONS = 20


@dataclass(frozen=True, slots=True)
class Material:
    """How much there was to learn from."""

    entry: Entry
    """What mining counted, with what its filters dropped."""
    trained: int
    """Edits of trained commits that are small enough."""
    taught: int
    """Of these, the ones that teach something (editflow_trainer.personal.lessons)."""
    renames: int
    functions: int
    replayed: int
    """Functions of Python's standard library."""
    accepted: int
    """Outcomes of editors that are trained on as edits."""
    rejected: int
    """Outcomes of editors that are trained on as right code."""
    tuning: int
    held_out: int
    """Edits of the newest commits."""
    conventions: tuple[tuple[str, str, int], ...]
    """The changes made most often: what goes, what comes, and in how many edits."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took."""

    seconds: Mapping[str, float]
    """By stage."""
    steps: int
    memory_mb: float
    """At its peak, of this process or of the GPU."""
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class Result:
    """All of it."""

    target: Target
    material: Material
    method: Method
    before: Scores
    """The base's."""
    after: Scores
    """The adapter's."""
    current: Scores | None
    """Of the adapter that was in use; None where there was none."""
    decision: Decision
    cost: Cost
    adapter: Adapter | None = None
    """Where it was installed, None where it was not."""

    def facts(self) -> dict[str, Any]:
        """What an adapter says of itself."""
        before, after = self.before, self.after
        return {
            "head": self.target.head,
            "method": str(self.method),
            "evaluation": {
                "held_out": _pair(before.exact, after.exact),
                "first_guess": _pair(before.guessed, after.guessed),
                "clean": {
                    "cases": len(before.clean),
                    "before": sum(before.clean),
                    "after": sum(after.clean),
                },
                "told": {"cases": len(before.told), "before": sum(before.told), "after": sum(after.told)},
                "slips": _pair(before.repaired, after.repaired),
            },
            "edits": {"mined": self.material.trained, "taught": self.material.taught},
            "seconds": {name: round(value, 1) for name, value in self.cost.seconds.items()},
        }


def _pair(before: Rate, after: Rate) -> dict[str, int]:
    return {"cases": before.cases, "before": before.hits, "after": after.hits}


def material_of(gathered: Gathered) -> Material:
    """How much there is to learn from."""
    conventions = Conventions(gathered.split.train).most_common(SHOWN_CONVENTIONS)
    return Material(
        entry=gathered.entry,
        trained=len(gathered.split.train),
        taught=len(gathered.lessons.edits) - len(gathered.feedback.edits),
        renames=len(gathered.lessons.renames),
        functions=len(gathered.lessons.functions),
        replayed=len(gathered.lessons.replayed),
        accepted=len(gathered.feedback.edits),
        rejected=len(gathered.feedback.right),
        tuning=len(gathered.split.tuning),
        held_out=len(gathered.split.held_out),
        conventions=tuple((" ".join(old), " ".join(new), count) for (old, new), count in conventions),
    )
