"""Whatever the text and whatever the network finds, the rules of a proposal hold."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow import engine as engine_module
from editflow.decisions import AcceptAll, RejectAll, decide
from editflow.diagnostics import check_python
from editflow.document import Document
from editflow.engine import Engine
from editflow.proposal import Proposal
from editflow.request import Request
from tests.core.wild import wild_engine

NO_NUL = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
LINE_END = st.sampled_from(["\n", "\r\n", "\r", "\f\n", ""])
CODE_LINE = st.sampled_from(
    [
        "def f(x):",
        "    def method(self, größe):",
        "        return self.x + größe",
        "    return x",
        "class A:",
        "@a",
        "    if x",
        "    '''",
        "x = (1, '😀')",
        "# é",
        "",
        "import os",
        "\tx = y",
    ]
)
TEXT = st.lists(st.tuples(CODE_LINE | st.text(NO_NUL, max_size=20), LINE_END), max_size=10).map(
    lambda lines: "".join(line + end for line, end in lines)
)
SUFFIX = st.sampled_from([".py", ".txt", ""])
FEW = settings(max_examples=50)


@pytest.fixture(scope="module")
def engine(tokenizer_file: Path) -> Iterator[Engine]:
    """The random engine, in float32 whatever the processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "computes_bfloat16", lambda: False)
        yield wild_engine(tokenizer_file)


def document_of(text: str, suffix: str) -> Document:
    return Document.from_text(text, Path("name" + suffix))


def check(proposal: Proposal, document: Document) -> None:
    """What holds for every proposal of every step."""
    assert proposal.document is document
    assert all(0 < hunk.confidence < 1 and hunk.old != hunk.new for hunk in proposal.hunks)
    assert all(a.end < b.start for a, b in pairwise(proposal.hunks))
    assert all(document.data[h.start_byte : h.end_byte] == h.old.encode() for h in proposal.hunks)
    accepted, rejected = decide(proposal, AcceptAll()), decide(proposal, RejectAll())
    assert accepted.decided_text() == proposal.text
    assert document.encode(rejected.decided_text()) == document.data


@FEW
@given(TEXT, SUFFIX, st.integers(1, 8), st.integers(1, 3), st.integers(0, 9))
def test_no_text_breaks_the_engine(
    engine: Engine, text: str, suffix: str, steps: int, candidates: int, seed: int
) -> None:
    document = document_of(text, suffix)
    request = Request(document, steps=steps, candidates=candidates, seed=seed)
    made = list(engine.fix(request))
    for step in made:
        check(step.proposal, document)
        assert 0 <= step.index <= step.total
    for alternative in made[-1].alternatives:
        check(alternative, document)
    assert [step.done for step in made] == [False] * (len(made) - 1) + [True]
    assert engine.fix_last(request) == made[-1]


@FEW
@given(TEXT, SUFFIX, st.data())
def test_nothing_changes_outside_the_lines(
    engine: Engine, text: str, suffix: str, data: st.DataObject
) -> None:
    document = document_of(text, suffix)
    count = text.count("\n") + 1
    first = data.draw(st.integers(1, count))
    last = data.draw(st.integers(first, count))
    starts = [*document.line_starts, len(text)]
    low, high = starts[first - 1], starts[last]
    for step in engine.fix(Request(document, lines=(first, last))):
        assert all(low <= hunk.start <= hunk.end <= high for hunk in step.proposal.hunks)
        assert step.proposal.text.startswith(text[:low])
        assert step.proposal.text.endswith(text[high:])


@FEW
@given(TEXT)
def test_what_is_offered_has_no_new_errors(engine: Engine, text: str) -> None:
    def undefined(text: str) -> list[str]:
        return [text[d.start : d.end] for d in check_python(text) if d.source == "pyflakes"]

    def parses(text: str) -> bool:
        return all(d.source != "python" for d in check_python(text))

    fixed = engine.fix_last(Request(document_of(text, ".py"))).proposal.text
    if parses(text):
        assert parses(fixed)
        assert set(undefined(fixed)) <= set(undefined(text))


@FEW
@given(st.lists(st.tuples(TEXT, SUFFIX), max_size=4))
def test_requests_together_are_as_each_alone(engine: Engine, texts: list[tuple[str, str]]) -> None:
    requests = [Request(document_of(text, suffix)) for text, suffix in texts]
    together = [step.proposal.text for step in engine.fix_many(requests)]
    assert together == [engine.fix_last(request).proposal.text for request in requests]


@FEW
@given(TEXT, SUFFIX)
def test_suspicion_lies_in_the_document(engine: Engine, text: str, suffix: str) -> None:
    spans = engine.suspicion(document_of(text, suffix))
    assert all(0 <= start < end <= len(text) and 0 <= rate <= 1 for start, end, rate in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_the_properties_are_not_empty(engine: Engine) -> None:
    """The random network edits valid code too, and some of it may be offered."""
    text = "".join(f"def f{n}(x):\n    # some words\n    return {n}\n\n\n" for n in range(10))
    *passes, last = engine.fix(Request(document_of(text, ".py")))
    assert len(passes[0].proposal.hunks) > len(last.proposal.hunks) > 0
