"""Puts typed bugs into the source of a function, each with the exact edit that takes it out again."""

import ast
import random
import tokenize
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from editflow_trainer.injection.bug import UNBOUND, UNPARSABLE, VISIBLE, Bug, BugKind, Injected
from editflow_trainer.injection.edit import Edit
from editflow_trainer.injection.kinds import DEFAULT_WEIGHTS, FINDERS
from editflow_trainer.injection.messages import message
from editflow_trainer.injection.source import Source, parse

_TRIES = 6  # places looked at before a kind is given up


class Injector:
    """Draws kinds of bugs by weight; a kind that does not apply to a function makes way for another."""

    def __init__(self, weights: Mapping[BugKind, float] | None = None) -> None:
        chosen = DEFAULT_WEIGHTS if weights is None else weights
        self.weights = {kind: weight for kind, weight in chosen.items() if weight > 0}

    def sample(
        self,
        text: str,
        rng: random.Random,
        *,
        count: int,
        header: str = "",
        names: Collection[str] = (),
        kinds: Collection[BugKind] | None = None,
    ) -> Injected | None:
        """Up to `count` bugs in `text`, none in `header`; None where there is no place for any.

        `names` are the names that the module and the enclosing functions bind, "*" for a star import.
        `kinds` restricts the kinds drawn.
        """
        weights = {kind: weight for kind, weight in self.weights.items() if kinds is None or kind in kinds}
        bugs: list[Bug] = []
        try:
            source = Source.read(text, header, names)
            while source and len(bugs) < count and (bug := _draw(source, rng, weights, bugs)):
                bugs.append(bug)
        except (tokenize.TokenError, RecursionError):  # too deep, or a line that only the parser understands
            return None
        return Injected.apply(text, tuple(sorted(bugs, key=lambda bug: bug.start))) if bugs else None

    def spread(
        self,
        text: str,
        rng: random.Random,
        *,
        kinds: int,
        extra: Mapping[BugKind, int],
        header: str = "",
        names: Collection[str] = (),
    ) -> list[Bug]:
        """One bug of each of up to `kinds` kinds drawn by weight, and `extra` more of some kinds.

        Each is possible by itself; two of them may overlap.
        """
        order = sorted(self.weights, key=lambda kind: rng.random() ** (1 / self.weights[kind]), reverse=True)
        found: dict[tuple[int, int, str], Bug] = {}
        try:
            source = Source.read(text, header, names)
            if source is None:
                return []
            for kind in order:
                wanted = extra.get(kind, 0) + (kinds > 0)
                edits = list(islice(_valid(source, rng, kind, []), wanted))
                kinds -= bool(edits)
                found |= {(e.start, e.end, e.replacement): _bug(source, kind, e, rng) for e in edits}
        except (tokenize.TokenError, RecursionError):  # as in `sample`
            return []
        return list(found.values())


def _bug(source: Source, kind: BugKind, edit: Edit, rng: random.Random) -> Bug:
    right = edit.thing or source.text[edit.start : edit.end]
    line = message(kind, right, edit.replacement, source.scope.function, rng)
    return Bug(kind, edit.start, edit.end, edit.replacement, line)


def _draw(source: Source, rng: random.Random, weights: dict[BugKind, float], taken: list[Bug]) -> Bug | None:
    """One more bug, apart from those taken; a kind found without a place is dropped from `weights`."""
    visible = rng.random() * sum(weights.values()) < sum(w for kind, w in weights.items() if kind in VISIBLE)
    while weights:
        # Another kind of the same visibility stands in first: so their shares stay as the weights say.
        group = [kind for kind in weights if (kind in VISIBLE) == visible] or list(weights)
        kind = rng.choices(group, [weights[kind] for kind in group])[0]
        if edit := next(_valid(source, rng, kind, taken), None):
            return _bug(source, kind, edit, rng)
        del weights[kind]
    return None


def _valid(source: Source, rng: random.Random, kind: BugKind, taken: list[Bug]) -> Iterator[Edit]:
    for edit in islice(FINDERS[kind](source, rng), _TRIES):
        apart = all(edit.end < bug.start or bug.end < edit.start for bug in taken)
        if apart and _shows(source, kind, edit):
            yield edit


def _shows(source: Source, kind: BugKind, edit: Edit) -> bool:
    """Whether the bug alone is what its kind says: a syntax error, an unbound name, or another program."""
    start, end, replacement, _ = edit
    if source.text[start:end] == replacement or source.has_comment(start, end):
        return False
    tree = parse(source.edited(start, end, replacement))
    if kind in UNPARSABLE:
        return tree is None
    if kind in UNBOUND:
        return tree is not None and not source.is_bound(replacement)
    return tree is not None and differ(source.tree, tree)


def differ(clean: ast.AST, other: ast.AST) -> bool:
    """Whether two trees mean different programs: positions aside, another class, name or value."""
    if type(clean) is not type(other):
        return True
    return any(
        _fields_differ(getattr(clean, field, None), getattr(other, field, None)) for field in clean._fields
    )


def _fields_differ(clean: object, other: object) -> bool:
    if isinstance(clean, ast.AST) and isinstance(other, ast.AST):
        return differ(clean, other)
    if isinstance(clean, list) and isinstance(other, list):
        return len(clean) != len(other) or any(map(_fields_differ, clean, other))
    return type(clean) is not type(other) or clean != other
