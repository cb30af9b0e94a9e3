"""From an example to a row: what goes wrong, what is told about it, and noise on top; fresh every time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from editflow.canvas import BOS, EOS, Role
from editflow.process.base import BLANK
from editflow.window import AFTER, BUDGETS, DIAGNOSTIC, EDIT, FILE, INSTRUCTION, MAX_DIAGNOSTICS
from editflow_trainer.data.bugs import bug_count, choose, complaints, splice
from editflow_trainer.data.config import DataConfig
from editflow_trainer.data.example import Complaint, Example, Site, Source
from editflow_trainer.data.header import Header
from editflow_trainer.data.noise import add_noise, line_of
from editflow_trainer.data.row import Ids, Mask, Roles, Row
from editflow_trainer.injection.bug import UNBOUND, UNPARSABLE

Rng = np.random.Generator
Placed = tuple[Complaint, tuple[int, ...]]
"""A complaint and the slots it underlines."""


class Stream(IntEnum):
    """What becomes of an example; in the order of Mixture's fields."""

    INJECTED = 0
    NAMES = 1
    FIX = 2
    EDIT = 3
    CLEAN = 4


class Drawer:
    """Draws rows from examples of shards with one header."""

    def __init__(self, config: DataConfig, header: Header, weights: Sequence[float]) -> None:
        """`weights` by kind, see editflow_trainer.data.rates."""
        self.config, self.weights = config, weights
        self.line_end: Mask = np.zeros(header.vocabulary.size + 1, bool)  # BLANK reads the last entry
        self.line_end[list(header.vocabulary.line_ends)] = True
        self._separator = np.array(header.vocabulary.separator, np.int32)
        self._unbound = {i for i, kind in enumerate(header.kinds) if kind in UNBOUND}
        self._unparsable = {i for i, kind in enumerate(header.kinds) if kind in UNPARSABLE}

    def row(self, example: Example, stream: Stream, keep: frozenset[int], rng: Rng) -> Row:
        """A row; of the context, the parts in `keep` (markers) are shown."""
        body, placed, instruction = self._edited(example, stream, rng)
        hints = self.config.hints
        if rng.random() >= hints.keep_diagnostic:
            placed = []
        role = body.role.copy()
        for _, slots in placed:
            role[list(slots)] = np.where(body.z0[list(slots)] == BLANK, 0, int(Role.MARKED))
        if rng.random() < hints.line:
            role = self._point(body, role, rng)
        noisy = add_noise(Row(body.z0, body.z1, role), self.line_end, self.config.noise, rng)
        return _framed(noisy, example, keep, [c.message for c, _ in placed], instruction)

    def _edited(self, example: Example, stream: Stream, rng: Rng) -> tuple[Row, list[Placed], Ids]:
        """The pair, what a checker says of its source, and the instruction; nothing of it is dropped by chance yet."""
        hints, nothing = self.config.hints, np.zeros(0, np.int32)
        if stream == Stream.CLEAN:
            row, _ = splice(example.target, [])
            return row, [], self._misleading(example, rng) if rng.random() < hints.misleading else nothing
        if example.source == Source.FUNCTION:
            sites = self._bugs(example, stream, rng)
            row, slot = splice(example.z1, sites)
            told = rng.random() < hints.keep_instruction
            instruction = self._instruction(sites, rng) if told else nothing
            return row, complaints(sites, slot, self._unparsable), instruction
        role = np.where(example.z0 == BLANK, 0, int(Role.ORIGINAL)).astype(np.uint8)
        keep = hints.keep_instruction if example.source == Source.FIX else hints.keep_message
        instruction = example.instruction if rng.random() < keep else nothing
        own = np.flatnonzero(example.z0 != BLANK)
        placed = [(c, tuple(own[c.start : c.end].tolist())) for c in example.complaints[:MAX_DIAGNOSTICS]]
        return Row(example.z0, example.z1, role), placed, instruction

    def _bugs(self, example: Example, stream: Stream, rng: Rng) -> list[Site]:
        bugs = self.config.bugs
        if stream == Stream.NAMES:
            named = [site for site in example.sites if site.kind in self._unbound]
            if named:
                return choose(named, self.weights, int(rng.integers(1, bugs.focused + 1)), rng)
        return choose(example.sites, self.weights, bug_count(bugs, rng), rng)

    def _instruction(self, sites: Sequence[Site], rng: Rng) -> Ids:
        """The messages of one or two of the bugs."""
        told = [sites[i] for i in rng.permutation(len(sites))[: rng.integers(1, 3)]]
        pieces = [piece for site in told for piece in (self._separator, site.instruction)][1:]
        return np.concatenate([np.zeros(0, np.int32), *pieces])[: BUDGETS[INSTRUCTION]]

    def _misleading(self, example: Example, rng: Rng) -> Ids:
        """What would be asked for if there were a bug, or what has been done already."""
        if example.sites:
            return example.sites[int(rng.integers(len(example.sites)))].instruction
        return example.instruction

    def _point(self, row: Row, role: Roles, rng: Rng) -> Roles:
        """Underline the lines of the source that change, as if a person had selected them; of a clean row, any line.

        A token that ends a line also holds the indentation of the next one, so the one before is underlined too.
        """
        live = np.flatnonzero(row.z0 != BLANK)
        if not len(live):
            return role
        line = line_of(row.z0, self.line_end)
        last = line[live[-1]]
        wanted = line[row.z0 != row.z1] if not row.clean else rng.integers(0, last + 1, 1)
        pointed = np.isin(line[live], np.minimum(wanted, last))
        pointed[:-1] |= pointed[1:]
        marked = role.copy()
        marked[live[pointed]] = Role.MARKED
        return marked


def _framed(row: Row, example: Example, keep: frozenset[int], messages: list[Ids], instruction: Ids) -> Row:
    """The row in its context, in the order of editflow.window."""
    context = {marker: tokens for marker, tokens in example.context if marker in keep}
    after = context.pop(AFTER, None)
    parts = [(FILE, context.pop(FILE))] if FILE in context else []
    parts += [(DIAGNOSTIC, message) for message in messages]
    parts += [(INSTRUCTION, instruction)] if len(instruction) else []
    parts += list(context.items())
    pieces = [np.array([BOS], np.int32)]
    for marker, tokens in parts:
        pieces += [np.array([marker], np.int32), tokens]
    head = np.concatenate([*pieces, np.array([EDIT], np.int32)])
    tail = np.array([EOS], np.int32)
    if after is not None:
        tail = np.concatenate([np.array([AFTER], np.int32), after, tail])
    context_role = [np.full(len(side), int(Role.CONTEXT), np.uint8) for side in (head, tail)]
    return Row(
        np.concatenate([head, row.z0, tail]),
        np.concatenate([head, row.z1, tail]),
        np.concatenate([context_role[0], row.role, context_role[1]]),
    )
