"""Cases from held-out functions: each in a document as it would stand in a file, with the right text."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from rich.progress import track

from editflow.diagnostic import Diagnostic
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.step import Step
from editflow.tokens import CodeTokenizer
from editflow_trainer.corpus import FUNCTIONS, read_functions
from editflow_trainer.data.functions import diagnose
from editflow_trainer.evaluation.hints import DEFAULT, Hint, Hints
from editflow_trainer.evaluation.lines import pointed
from editflow_trainer.evaluation.report import standard_error
from editflow_trainer.sources import STAR, SourceFunction, functions_under

POOL = 8000  # functions that the cases are drawn from, so that memory stays small
BATCH = 32  # requests in one call of the engine

Item = TypeVar("Item")
Fits = Callable[[str], bool]
"""Whether an editable text is short enough for one window."""


class Fixer(Protocol):
    """The part of the engine that suites and reports need."""

    def fix(self, request: Request) -> Iterator[Step]:
        """A step after every pass, the last one done."""

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The last step of each request."""


class Tokenized(Protocol):
    """The part of a checkpoint that suites need."""

    def tokenizer(self) -> CodeTokenizer:
        """Says how many tokens a text has."""


class Subject(Fixer, Protocol):
    """What is measured: an engine, or a baseline in its place."""

    @property
    def name(self) -> str:
        """For reports."""

    @property
    def device(self) -> torch.device:
        """Where it runs."""

    @property
    def checkpoint(self) -> Tokenized:
        """Whose tokenizer says what fits into a window."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may choose about a run."""

    data: Path | None = None
    limit: int | None = None  # None is the suite's own
    seed: int = 0
    candidates: int = 1
    hints: Hints = DEFAULT
    baseline: str | None = None  # what is measured in place of the engine
    repositories: Path | None = None  # folder of clones, for the files around mined fixes

    @property
    def diagnostics(self) -> bool:
        """Whether the model is told what a parser and a name checker say."""
        return Hint.diagnostic in self.hints


@dataclass(frozen=True, slots=True)
class Case:
    """A request and the whole text of its document once it is right."""

    stratum: str  # the row it counts in
    request: Request
    expected: str
    cluster: str = ""  # cases of one cluster are not independent of each other
    name: str = ""  # for people


def make_case(
    stratum: str, function: SourceFunction, text: str, settings: Settings, message: str = ""
) -> Case:
    """`text` in the function's place: below the module's imports and names, inside its classes' headers.

    The function's own text is the right one; `message` is what a hint may say about the difference.
    """
    head = _head(function)
    first = head.count("\n") + 1
    request = Request(
        Document.from_text(head + text, Path(Path(function.path).name)),
        lines=(first, first + text.rstrip("\n").count("\n")),
        diagnostics=_placed(diagnose(function, text), len(head)) if settings.diagnostics else (),
        instruction=message if Hint.message in settings.hints else "",
        candidates=settings.candidates,
        seed=settings.seed,
    )
    expected = head + function.text
    if Hint.line in settings.hints:
        request = pointed(request, expected)
    place = f"{function.package}: {function.path}, {function.name}"
    return Case(stratum, request, expected, cluster=place, name=place)


def read_pool(settings: Settings) -> list[SourceFunction]:
    """At most POOL functions of the held-out packages, drawn by the seed.

    Raises:
        EditFlowError: there is no data, or it is not what a suite over functions reads.
    """
    if settings.data is None:
        raise EditFlowError(
            "this suite needs functions not trained on: run `make heldout`, then give --data DIR"
        )
    pool = _reservoir(_functions(settings.data), POOL, random.Random(settings.seed))
    if not pool:
        raise EditFlowError(f"{settings.data} holds no Python functions; check the path")
    return pool


def answers(engine: Fixer, requests: Sequence[Request], doing: str) -> Iterator[Step]:
    """The last step of each request, in order; a terminal shows how far it is."""
    batches = [requests[at : at + BATCH] for at in range(0, len(requests), BATCH)]
    console = standard_error()
    hidden = not console.is_terminal
    for batch in track(batches, doing, console=console, transient=True, disable=hidden):
        yield from engine.fix_many(batch)


def _head(function: SourceFunction) -> str:
    """What precedes the function; the module's names are bound to None, lest they count as undefined."""
    names = [name for name in function.module_names if name != STAR]
    parts = [function.imports, " = ".join([*names, "None\n"]) if names else "", "\n" + function.header]
    return "\n".join(part for part in parts if part)


def _placed(diagnostics: Iterable[Diagnostic], shift: int) -> tuple[Diagnostic, ...]:
    return tuple(replace(d, start=d.start + shift, end=d.end + shift) for d in diagnostics)


def _functions(data: Path) -> Iterator[SourceFunction]:
    """From a corpus file, a folder that holds one, or a folder of packages."""
    corpus = data / FUNCTIONS if data.is_dir() else data
    if not corpus.is_file():
        if not data.is_dir():
            raise EditFlowError(f"{data} does not exist; run `make heldout` or name a folder of packages")
        yield from functions_under(data, package=data.name)
        return
    try:
        yield from read_functions(corpus)
    except (json.JSONDecodeError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise EditFlowError(f"{corpus} is not a corpus of functions ({error}); write it anew") from error


def _reservoir(items: Iterable[Item], size: int, rng: random.Random) -> list[Item]:
    """A uniform sample of a stream (Vitter's algorithm R)."""
    kept: list[Item] = []
    for seen, item in enumerate(items):
        if seen < size:
            kept.append(item)
        elif (at := rng.randrange(seen + 1)) < size:
            kept[at] = item
    return kept
