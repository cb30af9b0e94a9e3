"""What `editflow adapters` prints about an adapter: a line, a page, or the object that docs/json.md documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from editflow.adapters.adapter import CARD, REPORT, Adapter
from editflow.adapters.purge import size_of
from editflow.patch import visible


@dataclass(frozen=True, slots=True)
class Compared:
    """A count before and after training."""

    cases: int
    before: int
    after: int

    @classmethod
    def of(cls, adapter: Adapter, what: str) -> Compared | None:
        """What the trainer measured; None where the adapter does not say it in this form."""
        evaluation = adapter.facts.get("evaluation")
        counts = evaluation.get(what) if isinstance(evaluation, dict) else None
        if not isinstance(counts, dict):
            return None
        numbers = [counts.get(key) for key in ("cases", "before", "after")]
        whole = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool)]
        return cls(*whole) if len(whole) == len(numbers) else None

    def __str__(self) -> str:
        return f"{self.before} -> {self.after} of {self.cases}"


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """One adapter that is kept."""

    name: str
    repository: str
    root: str
    """The repository's root commit."""
    base: str
    created: str
    size: int
    """Bytes of its files."""
    in_use: bool
    folder: str
    report: str | None
    """The file that tells how the training went."""
    held_out: Compared | None
    """Cases of the newest commits that were fixed as their authors did."""
    clean: Compared | None
    """Correct pieces of code that were changed."""

    @classmethod
    def of(cls, adapter: Adapter, *, in_use: bool) -> AdapterReport:
        """Look at an adapter and its folder."""
        report = adapter.folder / REPORT
        return cls(
            name=adapter.name,
            repository=adapter.repository_name,
            root=adapter.repository,
            base=adapter.base_name,
            created=adapter.created,
            size=size_of(adapter.folder),
            in_use=in_use,
            folder=str(adapter.folder),
            report=str(report) if report.is_file() else None,
            held_out=Compared.of(adapter, "held_out"),
            clean=Compared.of(adapter, "clean"),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def line(self) -> str:
        """Everything that tells adapters apart."""
        measured = [f"held out {self.held_out}"] if self.held_out else []
        measured += [f"clean changed {self.clean}"] if self.clean else []
        mark = "in use" if self.in_use else ""
        facts = f"{self.name:28}  {mark:6}  {self.created[:10]}  {megabytes(self.size):>9}  for {self.base}"
        return visible("  ".join([facts, *measured]))

    def page(self, adapter: Adapter) -> str:
        """The facts, one a line, then the card."""
        facts = {
            "adapter": self.name,
            "repository": f"{self.repository}, root commit {self.root}",
            "base": self.base,
            "created": self.created,
            "size": megabytes(self.size),
            "in use": "yes" if self.in_use else "no",
            "held out": f"{self.held_out or 'not measured'}",
            "clean changed": f"{self.clean or 'not measured'}",
            "folder": self.folder,
            "report": self.report or "none",
        }
        card = (adapter.folder / CARD).read_text("utf-8", "replace")
        return visible(
            "\n".join([*(f"{name:15}{value}" for name, value in facts.items()), "", card.rstrip()])
        )


def megabytes(size: int) -> str:
    """Bytes for a person."""
    return f"{size / 1e6:.1f} MB"
