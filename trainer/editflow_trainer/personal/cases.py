"""What an adapter is judged by: edits of commits it was not trained on, code that is right, and slips put into it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS
from editflow_trainer.evaluation.case import Case, Settings, make_case
from editflow_trainer.evaluation.hints import Hint
from editflow_trainer.evaluation.surroundings import Surroundings
from editflow_trainer.injection import VISIBLE, Injector
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.sources import SourceFunction

SETTINGS = Settings(hints=frozenset({Hint.diagnostic, Hint.message}))
"""Edits come with their commit's message and with what a parser and a name checker say, as in an editor."""
EDITS, CLEAN, TOLD, SLIPS = "edits", "clean", "told", "slips"


@dataclass(frozen=True, slots=True)
class Cases:
    """Requests with their right answers; the edits of one commit are a cluster."""

    edits: tuple[Case, ...]
    clean: tuple[Case, ...]
    """Functions that the same commits left as they were, without a message."""
    told: tuple[Case, ...]
    """Some of them with the commit's message, which asks for something that is not to be done there."""
    slips: tuple[Case, ...]
    """Others of these, with one bug put in that a parser or a name checker sees."""
    unseen: frozenset[str]
    """Texts of right functions, those of the cases among them, which must not be trained on."""


@dataclass(frozen=True, slots=True)
class Most:
    """How many cases there may be."""

    edits: int = 150
    clean: int = 120
    told: int = 60
    slips: int = 150


def draw_cases(
    edits: Sequence[MinedEdit], folder: Path, tokenizer: CodeTokenizer, most: Most, seed: int
) -> Cases:
    """Cases drawn by the seed among edits of functions that fit into a window, with the files around them."""
    rng = random.Random(seed)
    found: list[Case] = []
    right: dict[str, _Right] = {}
    wrong = {edit.before for edit in edits}
    with Surroundings(folder) as surroundings:
        for edit in rng.sample(edits, len(edits)):
            if len(found) >= most.edits and len(right) >= most.clean + most.slips:
                break
            place = surroundings.of(edit) if _fits(edit, tokenizer) else None
            if place is not None:
                function, others = place
                found += [_edit_case(edit, function)] if len(found) < most.edits else []
                right |= {f.text: _Right(f, edit.message) for f in others if f.text not in wrong}
    drawn = [right[text] for text in rng.sample(sorted(right), len(right)) if _short(text, tokenizer)]
    clean, rest = drawn[: most.clean], drawn[most.clean :]
    return Cases(
        tuple(found),
        tuple(make_case(CLEAN, one.function, one.function.text, SETTINGS) for one in clean),
        tuple(_told(one) for one in clean[: most.told]),
        tuple(_slips([one.function for one in rest or clean], most.slips, rng)),
        frozenset(one.function.text for one in drawn),
    )


@dataclass(frozen=True, slots=True)
class _Right:
    """A function that a commit left as it was, and what the commit says."""

    function: SourceFunction
    message: str


def _told(one: _Right) -> Case:
    return make_case(TOLD, one.function, one.function.text, SETTINGS, one.message)


def _edit_case(edit: MinedEdit, function: SourceFunction) -> Case:
    made = make_case(EDITS, replace(function, text=edit.after), edit.before, SETTINGS, edit.message)
    name = f"{edit.commit[:10]} {edit.path}:{edit.line} {edit.scope}"
    return replace(made, cluster=edit.commit, name=name)


def _slips(functions: Sequence[SourceFunction], count: int, rng: random.Random) -> Iterator[Case]:
    injector = Injector(dict.fromkeys(sorted(VISIBLE), 1.0))
    for function in functions[:count]:
        made = injector.sample(
            function.text, rng, count=1, header=function.header, names=function.module_names
        )
        if made:
            yield make_case(SLIPS, function, made.buggy, SETTINGS)


def _fits(edit: MinedEdit, tokenizer: CodeTokenizer) -> bool:
    return all(_short(side, tokenizer) for side in (edit.before, edit.after))


def _short(text: str, tokenizer: CodeTokenizer) -> bool:
    return len(tokenizer.encode(text).ids) <= EDITABLE_TOKENS
