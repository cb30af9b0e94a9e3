"""The names of the suites, and what each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from editflow_trainer.evaluation.hints import Hint, Hints


class Suite(StrEnum):
    """What can be measured."""

    injected = "injected"
    clean = "clean"
    realfix = "realfix"
    parity4 = "parity4"
    quixbugs = "quixbugs"
    humanevalfix = "humanevalfix"
    debugbench = "debugbench"
    editeval = "editeval"


_PLACED: Hints = frozenset({Hint.line, Hint.diagnostic})
HINTS: Mapping[Suite, Hints] = {
    Suite.injected: _PLACED | {Hint.message},
    Suite.clean: frozenset({Hint.diagnostic}),
    Suite.realfix: _PLACED | {Hint.message},
    Suite.parity4: _PLACED | {Hint.test},
    Suite.quixbugs: _PLACED | {Hint.test},
    Suite.humanevalfix: _PLACED | {Hint.test},
    Suite.debugbench: _PLACED,
    Suite.editeval: _PLACED,
}
"""The hints that a suite's data can give; the commits of mined fixes carry no failing test."""
FOLDERS: Mapping[Suite, str] = {
    Suite.injected: "heldout",
    Suite.clean: "heldout",
    Suite.realfix: "mined",
    Suite.parity4: "parity4",
    Suite.quixbugs: "quixbugs",
    Suite.humanevalfix: "humanevalpack",
    Suite.debugbench: "debugbench",
    Suite.editeval: "editeval",
}
"""Where the suites' data lie in a common folder."""
