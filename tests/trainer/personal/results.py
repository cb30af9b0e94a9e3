"""A result of a training that never happened: two held-out edits that the adapter makes, one that it does not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from editflow_trainer.evaluation.case import Case, make_case
from editflow_trainer.evaluation.verdict import Verdict
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.licence import Licence
from editflow_trainer.mining.reasons import Reason, Stage
from editflow_trainer.mining.store import Entry
from editflow_trainer.personal.cases import CLEAN, EDITS, SETTINGS, SLIPS, TOLD, Cases
from editflow_trainer.personal.feedback import Feedback
from editflow_trainer.personal.gate import decide
from editflow_trainer.personal.material import Gathered
from editflow_trainer.personal.options import Method, Target
from editflow_trainer.personal.prepare import Lessons
from editflow_trainer.personal.result import Cost, Material, Result
from editflow_trainer.personal.scores import Scores
from editflow_trainer.personal.split import Split
from editflow_trainer.personal.workspace import Workspace
from editflow_trainer.sources import SourceFunction
from editflow_trainer.training.logs import LOG

DEFAULT, ADAPTER = "default@00000000", "shop@1a2b3c4d"
ATTACK = "<script>alert('x')</script>&\u202e\x1b[31m[red]"
TARGET = Target(Path("shop"), "ada/shop", "a" * 40, "b" * 40)
OLD, NEW = "def {}(x):\n    return fetch(x)\n", "def {}(x):\n    return load(x)\n"
ENTRY = Entry(
    head="b" * 40,
    shallow=False,
    licence=Licence("", ""),
    mined="2026-01-01T00:00:00+00:00",
    seconds=1.0,
    commits=Stage(90, Counter({Reason.merge: 10})),
    files=Stage(200, Counter({Reason.not_code: 50})),
    edits=Stage(150, Counter({Reason.secret: 3, Reason.near_duplicate: 7})),
    levels=Counter({"function": 100, "hunk": 40}),
    languages=Counter({"python": 140}),
    kinds=Counter({"wrong_call": 3, "typo": 1}),
)
MATERIAL = Material(
    entry=ENTRY,
    trained=60,
    taught=20,
    renames=30,
    functions=40,
    replayed=50,
    accepted=2,
    rejected=1,
    tuning=10,
    held_out=4,
    conventions=(("fetch", "load", 17), ("", ATTACK, 3)),
)
COST = Cost({"mining the history": 3.2, "training": 61.0}, 120, 512.0, "cpu", 2)


def scores(model: str, exact: str, touched: str, slips: str, guesses: str = "") -> Scores:
    """x is exact (or touched), o another proposal, and anything else none."""

    def verdicts(marks: str) -> tuple[Verdict, ...]:
        return tuple(
            Verdict("", mark in "xo", mark == "x", mark == "x", str(i)) for i, mark in enumerate(marks)
        )

    alarms = tuple(mark == "x" for mark in touched)
    return Scores(
        model=model,
        edits=verdicts(exact),
        clean=alarms,
        told=alarms[::-1],
        slips=verdicts(slips),
        guesses=verdicts(guesses or exact),
        seconds=1.0,
    )


def result_of(after: str = "xx.", touched: str = "..", guesses: str = "xxx", current: str = "") -> Result:
    """The default makes none of the edits, touches the first of two right functions, and repairs one slip."""
    before = scores(DEFAULT, "." * len(after), "x.", "x")
    later = scores(f"{DEFAULT}+{ADAPTER}", after, touched, "x", guesses)
    used = scores(f"{DEFAULT}+shop@00000001", current, "..", "x") if current else None
    return Result(TARGET, MATERIAL, Method.full, before, later, used, decide(before, later, used), COST)


def function(name: str, text: str = NEW) -> SourceFunction:
    """One of the shop's."""
    return SourceFunction("ada/shop", "shop.py", name, text.format(name), "", "", ("fetch", "load"))


def edit(name: str, date: int) -> MinedEdit:
    """From fetch to load."""
    texts = OLD.format(name), NEW.format(name)
    return MinedEdit(
        *texts, "ada/shop", f"{date:040}", date, "shop.py", "python", Level.function, name, 1, "Use load"
    )


def cases() -> Cases:
    """Three edits from fetch to load, two right functions and one slip."""

    def case(stratum: str, name: str, before: str) -> Case:
        made = make_case(stratum, function(name), before.format(name), SETTINGS, f"Use load {ATTACK}")
        return replace(made, name=name)

    return Cases(
        edits=tuple(case(EDITS, name, OLD) for name in ("first", "second", "third")),
        clean=tuple(case(CLEAN, name, NEW) for name in ("right", "calm")),
        told=tuple(case(TOLD, name, NEW) for name in ("calm", "right")),
        slips=(case(SLIPS, "slip", NEW.replace(":", "")),),
        unseen=frozenset(),
    )


def gathered() -> Gathered:
    """With a split over four days."""
    edits = [edit(f"f{day}", day * 86_400) for day in (9, 8, 7, 6)]
    split = Split(tuple(edits[2:]), tuple(edits[1:2]), tuple(edits[:1]))
    return Gathered(ENTRY, split, Lessons([], [], []), cases(), cases(), Feedback(), 0.0)


def workspace(folder: Path) -> Workspace:
    """With a log of three lines."""
    space = Workspace(folder)
    space.run.mkdir(parents=True)
    lines = [
        {"step": step, "loss": 2.0 / step, "operation": 1.0 / step, "rate": 1.0, "tokens_per_second": 500.0}
        for step in (10, 20, 30)
    ]
    (space.run / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return space
