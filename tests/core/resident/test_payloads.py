"""Requests, steps and statuses survive the way over the wire."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.diagnostic import Diagnostic
from editflow.document import Document, DocumentError
from editflow.proposal import Proposal
from editflow.request import Decoder, Request
from editflow.resident.payloads import (
    document_to_json,
    request_from_json,
    request_to_json,
    step_from_json,
    step_to_json,
)
from editflow.step import Step

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
DIAGNOSTICS = st.lists(
    st.builds(Diagnostic, st.integers(0, 9), st.integers(0, 9), st.text(), st.text()), max_size=3
).map(tuple)


def over_the_wire(value: Any) -> Any:
    return json.loads(json.dumps(value))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    path = draw(st.none() | st.sampled_from([Path("a.py"), Path("ä/b.txt")]))
    return Request(
        Document.from_text(draw(TEXTS), path, version=draw(st.integers(0, 9))),
        lines=draw(st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9))),
        instruction=draw(st.text()),
        diagnostics=draw(st.none() | DIAGNOSTICS),
        reported=draw(DIAGNOSTICS),
        decoder=draw(st.none() | st.sampled_from(Decoder)),
        steps=draw(st.none() | st.integers(1, 9)),
        threshold=draw(st.none() | st.floats(0, 1)),
        branches=draw(st.booleans()),
        forbidden=draw(
            st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), TEXTS), max_size=3).map(tuple)
        ),
    )


@given(requests())
def test_a_request_round_trips(request: Request) -> None:
    assert request_from_json(over_the_wire(request_to_json(request))) == request


@given(TEXTS, st.data())
def test_a_step_round_trips_over_its_document(text: str, data: st.DataObject) -> None:
    document = Document.from_text(text)
    proposals = [Proposal.from_texts(document, data.draw(TEXTS), data.draw(st.floats(0, 1))) for _ in "ab"]
    step = Step(3, 8, proposals[0], done=True, alternatives=tuple(proposals))
    assert step_from_json(over_the_wire(step_to_json(step)), document) == step


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfx = 1\r\n", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n"], ids=["bom", "latin-1"]
)
def test_a_file_keeps_its_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    request = Request(Document.read(path))
    arrived = request_from_json(over_the_wire(request_to_json(request)))
    assert arrived.document == replace(request.document, fingerprint=None)


def test_a_text_that_its_encoding_cannot_hold_is_refused() -> None:
    values = request_to_json(Request(Document.from_text("x")))
    values["document"] = document_to_json(Document.from_text("é")) | {"encoding": "ascii"}
    with pytest.raises(DocumentError, match="cannot be written in ascii"):
        request_from_json(values)


def test_hunks_outside_the_document_are_refused() -> None:
    step = Step(1, 1, Proposal.from_texts(Document.from_text("valeu"), "value"), done=True)
    with pytest.raises(ValueError, match="outside"):
        step_from_json(step_to_json(step), Document.from_text("v"))
