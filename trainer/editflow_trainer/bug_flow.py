"""Bugs from a flow: an exact Edit Flow with reverse heads, run from clean code at t = 1 back to t = 0.

The heads were trained to lead from fixes back to what was fixed, so what they make is distributed as their training
bugs are, in the contexts where those occur; rule-based injection draws its kinds and places at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.pieces import Pieces
from editflow.process.choice import Sharpening
from editflow.process.continuous import ContinuousEditFlow, Sampling
from editflow.readout import canvas_of, read_edits
from editflow.sampler import Sampler
from editflow.window import EDITABLE_TOKENS, Window, encode_window
from editflow_trainer.sources import SourceFunction

BATCH = 16  # functions


@dataclass(frozen=True, slots=True)
class Bugs:
    """How bugs are drawn."""

    steps: int = 32
    """Euler steps from clean to buggy."""
    top_p: float = 0.9
    """Nucleus of Q."""
    single: bool = True
    """Keep one of the edits of a function, drawn at random, instead of all."""
    seed: int = 0


def buggy_versions(
    engine: Engine, functions: Iterable[SourceFunction], how: Bugs | None = None
) -> Iterator[tuple[str, str]]:
    """(buggy, clean) text of every function that the flow has changed; what is no UTF-8 any more is left out.

    EditFlowError where the checkpoint has no reverse heads.
    """
    how = how or Bugs()
    if engine.backbone.reverse is None:
        raise EditFlowError(f"{engine.name} was not trained for the way back: train recipes/published.toml")
    sampling = Sampling(how.steps, sharpening=Sharpening(top_p=how.top_p), back=True)
    process = ContinuousEditFlow(engine.flow, sampling, generator=torch.Generator().manual_seed(how.seed))
    rng = random.Random(how.seed)
    sampler = Sampler(process, engine.backbone, process.passes)
    remaining = iter(functions)
    while group := list(islice(remaining, BATCH)):
        windows = [encode_window(_window(function), engine.tokenizer) for function in group]
        fits = [i for i, w in enumerate(windows) if w.end - w.start <= EDITABLE_TOKENS]
        if not fits:
            continue
        with engine.precision():
            rows = sampler.run(canvas_of([windows[i] for i in fits]).to(engine.device)).rows
        for i, row in zip(fits, rows, strict=True):
            edits = read_edits(row, windows[i], engine.tokenizer)
            edits = [rng.choice(edits)] if edits and how.single else edits
            if edits:
                yield Pieces.of(group[i].text).edited(edits).text, group[i].text


def _window(function: SourceFunction) -> Window:
    """As in training, but nothing is underlined: the code is clean."""
    name = Path(function.path).name
    return Window(function.text, file=name, imports=function.imports, scope=function.header)
