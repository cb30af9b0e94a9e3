"""Examples come back from their bytes exactly as they were, whatever they hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.data.example import Complaint, Example, Site, Source
from editflow_trainer.data.packing import LARGEST, Frame, pack
from editflow_trainer.data.row import Ids
from tests.trainer.data.examples import ids

SMALL = st.integers(-200, 200)
TOKENS = st.lists(st.integers(-1, LARGEST), max_size=6).map(lambda tokens: ids(*tokens))
COMPLAINTS = st.lists(st.builds(Complaint, TOKENS, SMALL, SMALL), max_size=2).map(tuple)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Ids, Ids]:
    z1 = draw(TOKENS)
    return (
        (z1, z1) if draw(st.booleans()) else (draw(st.permutations(z1.tolist()).map(lambda t: ids(*t))), z1)
    )


@st.composite
def sites(draw: st.DrawFn) -> Site:
    z0, z1 = draw(pairs())
    kind, start, end = draw(st.integers(0, 30)), draw(SMALL), draw(SMALL)
    return Site(kind, start, end, z0, z1, draw(TOKENS), draw(COMPLAINTS))


@st.composite
def examples(draw: st.DrawFn) -> Example:
    z0, z1 = draw(pairs())
    context = draw(st.lists(st.tuples(st.integers(4, 11), TOKENS), max_size=3))
    found = draw(st.lists(sites(), max_size=3))
    source = draw(st.sampled_from(Source))
    return Example(source, z0, z1, tuple(context), draw(TOKENS), draw(COMPLAINTS), tuple(found))


def plain(value: object) -> object:
    """Nested tuples of plain values, which can be compared."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, Example | Site | Complaint):
        return tuple(plain(getattr(value, name)) for name in value.__slots__)
    return value


@given(st.lists(examples(), max_size=5))
def test_examples_come_back(given_examples: list[Example]) -> None:
    frame = Frame(pack(given_examples))
    assert len(frame) == len(given_examples)
    read = [frame[i] for i in reversed(range(len(frame)))][::-1]  # in any order
    assert [plain(example) for example in read] == [plain(example) for example in given_examples]
    assert all(example.z1.dtype == np.int32 for example in read)


def test_a_token_that_does_not_fit_is_refused() -> None:
    clean = ids(LARGEST + 1)
    with pytest.raises(OverflowError, match="at most 65534"):
        pack([Example(Source.FUNCTION, clean, clean)])
