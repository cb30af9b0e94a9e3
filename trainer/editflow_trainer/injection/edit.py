"""What a finder gives for a kind of bug: edits of the clean text, in random order, one for each place."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from editflow_trainer.injection.source import Source

Item = TypeVar("Item")


class Edit(NamedTuple):
    """Characters `start` to `end` of the clean text replaced; `thing` is what a message could name."""

    start: int
    end: int
    replacement: str
    thing: str = ""


Finder = Callable[[Source, random.Random], Iterator[Edit]]


def shuffled(rng: random.Random, items: Sequence[Item]) -> list[Item]:
    """The items in random order."""
    return rng.sample(items, len(items))
