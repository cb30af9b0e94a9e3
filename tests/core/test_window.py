"""Windows as token rows: budgets, roles, segments and marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, Role
from editflow.diagnostic import Diagnostic
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer
from editflow.window import (
    AFTER,
    BEFORE,
    BUDGETS,
    DIAGNOSTIC,
    EDIT,
    FILE,
    IMPORTS,
    INSTRUCTION,
    MAX_DIAGNOSTICS,
    SCOPE,
    Window,
    WindowTokens,
    encode_window,
)

CODE = "def wrap(text, width):\n    return [t for t in text.split() if len(t) < width]\n"
PART = st.just("") | st.text("ab<edit>\n .()é", min_size=1, max_size=150)
MARKERS = {
    "file": FILE,
    "instruction": INSTRUCTION,
    "imports": IMPORTS,
    "scope": SCOPE,
    "before": BEFORE,
    "after": AFTER,
}


@st.composite
def windows(draw: st.DrawFn) -> Window:
    text = draw(st.text("ab<pad>\n .()é😀", max_size=60))
    diagnostics = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text)))
        diagnostics.append(Diagnostic(start, draw(st.integers(start, len(text))), draw(PART), "python"))
    return Window(text, tuple(diagnostics), *[draw(PART) for _ in MARKERS])


def part(row: WindowTokens, marker: int) -> list[int]:
    """The tokens of one segment, its markers included."""
    return [token for token, segment in zip(row.ids, row.segments, strict=True) if segment == marker]


@given(windows())
def test_a_row_is_context_the_marked_region_and_context(
    code_tokenizer: CodeTokenizer, window: Window
) -> None:
    row = encode_window(window, code_tokenizer)
    editable = code_tokenizer.encode(window.text)
    assert len(row.ids) == len(row.roles) == len(row.segments)
    assert (row.ids[0], row.ids[row.start - 1], row.ids[-1]) == (BOS, EDIT, EOS)
    assert row.ids[row.start : row.end] == editable.ids
    assert row.spans == editable.spans
    region = range(row.start, row.end)
    assert all((role == Role.CONTEXT) == (i not in region) for i, role in enumerate(row.roles))
    assert set(row.roles[row.start : row.end]) <= {Role.ORIGINAL, Role.MARKED}
    assert not any(row.segments[row.start - 1 : row.end])


@given(windows())
def test_every_part_stays_in_its_budget_and_its_segment(
    code_tokenizer: CodeTokenizer, window: Window
) -> None:
    row = encode_window(window, code_tokenizer)
    expected = {0, DIAGNOSTIC} if any(d.message for d in window.diagnostics[:MAX_DIAGNOSTICS]) else {0}
    for name, marker in MARKERS.items():
        tokens = code_tokenizer.encode(getattr(window, name)).ids
        budget = BUDGETS[marker]
        kept = tokens[-budget:] if marker == BEFORE else tokens[:budget]
        assert part(row, marker) == ([marker, *kept] if kept else [])
        expected |= {marker} if kept else set()
    assert set(row.segments) == expected
    messages = part(row, DIAGNOSTIC)
    assert messages.count(DIAGNOSTIC) == sum(bool(d.message) for d in window.diagnostics[:MAX_DIAGNOSTICS])
    assert len(messages) <= MAX_DIAGNOSTICS * (1 + BUDGETS[DIAGNOSTIC])


@given(windows())
def test_marked_tokens_are_those_that_a_diagnostic_touches(
    code_tokenizer: CodeTokenizer, window: Window
) -> None:
    row = encode_window(window, code_tokenizer)
    ranges = [range(d.start, max(d.end, d.start + 1)) for d in window.diagnostics[:MAX_DIAGNOSTICS]]
    for role, (start, end) in zip(row.roles[row.start : row.end], row.spans, strict=True):
        touched = any(place in marked for marked in ranges for place in range(start, end))
        assert role == (Role.MARKED if touched else Role.ORIGINAL)


def test_a_diagnostic_marks_the_name_it_underlines(code_tokenizer: CodeTokenizer) -> None:
    start = CODE.index("width]")
    row = encode_window(
        Window(CODE, (Diagnostic(start, start + 5, "undefined", "pyflakes"),)), code_tokenizer
    )
    marked = [
        CODE[slice(*row.spans[i])] for i in range(len(row.spans)) if row.roles[row.start + i] == Role.MARKED
    ]
    assert "".join(marked).strip() == "width"


def test_what_a_person_points_at_is_marked_without_a_diagnostic(code_tokenizer: CodeTokenizer) -> None:
    start = CODE.index("width]")
    row = encode_window(Window(CODE, pointed=(start, start + 5)), code_tokenizer)
    marked = [
        CODE[slice(*row.spans[i])] for i in range(len(row.spans)) if row.roles[row.start + i] == Role.MARKED
    ]
    assert "".join(marked).strip() == "width"
    assert DIAGNOSTIC not in row.ids


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_special_token_in_a_file_is_text(code_tokenizer: CodeTokenizer, token: str) -> None:
    diagnostic = Diagnostic(0, 1, token, "python")
    row = encode_window(Window(token, (diagnostic,), *[token] * 6), code_tokenizer)
    assert code_tokenizer.decode(row.ids[row.start : row.end]) == token
    for marker in (*MARKERS.values(), DIAGNOSTIC):
        first, *text = part(row, marker)
        assert first == marker
        assert code_tokenizer.decode(text) == token
    specials = [i for i in row.ids if i < FIRST_TEXT_ID]
    assert specials == [BOS, FILE, DIAGNOSTIC, INSTRUCTION, IMPORTS, SCOPE, BEFORE, EDIT, AFTER, EOS]


@pytest.mark.parametrize(
    ("message", "worded"),
    [
        ("'(' was never closed (detected at line 12)", "'(' was never closed"),
        (
            "expected an indented block after 'if' statement on line 3",
            "expected an indented block after 'if' statement",
        ),
        (
            "undefined name 'witdh'. Did you mean: 'width'?",
            "undefined name 'witdh'. Did you mean: 'width'? width",
        ),
    ],
)
def test_messages_lose_their_line_numbers_and_repeat_a_suggestion(
    code_tokenizer: CodeTokenizer, message: str, worded: str
) -> None:
    row = encode_window(Window("x", (Diagnostic(0, 1, message, "python"),)), code_tokenizer)
    budget = BUDGETS[DIAGNOSTIC]
    assert part(row, DIAGNOSTIC) == [DIAGNOSTIC, *code_tokenizer.encode(worded).ids[:budget]]
