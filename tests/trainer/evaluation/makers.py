"""Repositories with known fixes, mined, and engines whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_trainer.mining.miner import mine_all
from editflow_trainer.mining.pool import run_jobs
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings as MiningSettings
from tests.trainer.mining.history_maker import SHOP, commit, make, replaced

TEST = "def test_total():\n    assert total([1], 2) == {}\n"
FIXES = (
    ("Fix the sum", "amount + tax", "amount * tax", True),
    ("Fix name", "self.owner.name", "self.owner.full_name", False),
    (
        "Bug in area, it was no area\n\nIt was too small.",
        "radius * radius",
        "radius * math.fabs(radius)",
        True,
    ),
    ("Fix a typo", '"owner"', '"owners"', True),
    ("Add more", "sum(prices)", "sum(prices, 0)", False),
)
"""Message, old and new text, and whether a test is modified with it."""


class KnownEngine:
    """Answers a request with what a function makes of it: texts with the confidence of their hunks, best first."""

    def __init__(self, answer: Callable[[Request], Sequence[tuple[str, float]]]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def fix(self, request: Request) -> Iterator[Step]:
        step = self._step(request)
        yield Step(1, 2, step.proposal, done=False)
        yield step

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        self.requests += requests
        return [self._step(request) for request in requests]

    def _step(self, request: Request) -> Step:
        offered = [
            Proposal.from_texts(request.document, text, sure)
            for text, sure in self.answer(request)[: request.candidates]
            if sure >= (0.5 if request.threshold is None else request.threshold)
        ] or [Proposal(request.document, ())]
        return Step(2, 2, offered[0], done=True, alternatives=tuple(offered[1:] and offered))


def make_repository(folder: Path) -> Path:
    """One with FIXES, newest last, of a shop that also has a function with a literal, and one that stays as it is."""
    text = SHOP + '\n\ndef kind(self):\n    return {"owner": self.owner, "name": self.name()}\n'
    text += "\n\ndef halves(numbers):\n    return [number / 2 for number in numbers]\n"
    make(folder)
    commit(folder, "Start", {"shop.py": text, "test_shop.py": TEST.format(0)})
    for number, (message, old, new, tested) in enumerate(FIXES, start=1):
        text = replaced(old, new, text)
        commit(folder, message, {"shop.py": text} | ({"test_shop.py": TEST.format(number)} if tested else {}))
    return folder


def mine_into(out: Path, *repositories: Path) -> Path:
    """The folder `out` with the edits of the repositories."""
    found = [Repository.at(repository) for repository in repositories]
    mine_all(found, out, MiningSettings(), engine=run_jobs)
    return out
