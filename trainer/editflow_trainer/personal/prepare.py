"""A repository's lessons as shards: edits that teach something, bugs and renames in its own code, and code of others.

An edit is shown whole and as short parts around its change: a convention shows in a few lines, and short rows are
many. The newer half of the edits is shown twice as often, for what is done now is rather what was done lately. Half of
the functions are parts, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from editflow.checkpoint import TOKENIZER, Checkpoint
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS
from editflow_trainer.data.example import Example
from editflow_trainer.data.functions import function_example
from editflow_trainer.data.mined import mined_example
from editflow_trainer.data.preparation import Output, cached_tokenizer, packed, write_frames
from editflow_trainer.data.writing import Packed
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.sources import SourceFunction

PART = 96
"""Editable tokens of a row that shows a part."""
NEWER = (EDITABLE_TOKENS, PART, PART, PART)
"""Sizes of the rows that an edit of the newer half becomes."""
OLDER = (EDITABLE_TOKENS, PART)
FUNCTIONS = 1000
REPLAYED = 1000
RENAMES = 300
"""Edits made from functions, at most; and at most half as many as there are real ones, or 100."""
Row = tuple[MinedEdit | SourceFunction, int, int]
"""What a row is made of, a seed, and most editable tokens."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is trained on."""

    edits: Sequence[MinedEdit]
    """Newest first."""
    renames: Sequence[MinedEdit]
    functions: Sequence[SourceFunction]
    replayed: Sequence[SourceFunction] = ()
    """Of others."""

    def without(self, texts: Collection[str]) -> Lessons:
        """Leave out what holds one of the texts."""
        edits, renames = (
            [e for e in part if e.after not in texts and e.before not in texts]
            for part in (self.edits, self.renames)
        )
        functions, replayed = (
            [f for f in part if f.text not in texts] for part in (self.functions, self.replayed)
        )
        return Lessons(edits, renames, functions, replayed)


def prepare(lessons: Lessons, base: Checkpoint, folder: Path, workers: int, seed: int) -> int:
    """Write the shards, whole or not at all; returns how many examples there are.

    Raises:
        EditFlowError: there is nothing to train on.
    """
    started = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(started, ignore_errors=True)
    output = Output(started, base.folder / TOKENIZER, workers=workers, most_bytes=1 << 40)
    count = write_frames(output, "lessons", _rows(lessons, seed), partial(_frame, output)).total()
    if not count:
        raise EditFlowError("the history and the code hold nothing that fits into a window to train on")
    started.replace(folder)
    return count


def draw_functions(functions: Sequence[SourceFunction], seed: int) -> list[SourceFunction]:
    """At most FUNCTIONS of them, drawn by the seed."""
    return Random(seed).sample(functions, min(FUNCTIONS, len(functions)))


def _rows(lessons: Lessons, seed: int) -> Iterator[Row]:
    for place, edit in enumerate(lessons.edits):
        sizes = NEWER if place < len(lessons.edits) / 2 else OLDER
        yield from ((edit, seed + number, most) for number, most in enumerate(sizes))
    for number, edit in enumerate(lessons.renames):
        yield edit, seed, NEWER[number % len(NEWER)]
    own, others = lessons.functions, lessons.replayed
    # As many rows of the own as of others, or the few of a small repository would drown.
    for number in range(max(len(own), len(others)) if own else 0):
        turn, place = divmod(number, len(own))
        yield own[place], seed + turn, OLDER[(turn + place) % len(OLDER)]
    for number, function in enumerate(others):
        yield function, seed, OLDER[number % len(OLDER)]


def _frame(output: Output, rows: list[Row]) -> Packed | None:
    """Runs in a process of its own."""
    tokenizer = cached_tokenizer(output.tokenizer)
    return packed((_example(*row, tokenizer) for row in rows), output.codec)


def _example(
    item: MinedEdit | SourceFunction, seed: int, most: int, tokenizer: CodeTokenizer
) -> tuple[str, Example | None]:
    if isinstance(item, MinedEdit):
        return item.repository, mined_example(item, tokenizer, seed, most)
    return item.package, function_example(item, tokenizer, seed, most)
