"""Reading a canvas back: its edits give the text of its tokens, or there are none; probabilities multiply."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import FIRST_TEXT_ID, PLACEHOLDER, Canvas, Edits, apply_edits
from editflow.pieces import Pieces
from editflow.readout import canvas_of, read_edits
from editflow.tokens import CodeTokenizer
from editflow.window import Window, WindowTokens, encode_window

CODE = "def f(width):\n    return width + 1\n"


def no_edits(canvas: Canvas) -> Edits:
    zeros, ones = torch.zeros_like(canvas.ids), torch.ones(canvas.ids.shape)
    return Edits(zeros.bool(), zeros - 1, zeros, zeros[..., None] + PLACEHOLDER, ones, ones)


def random_edits(canvas: Canvas, ids: list[int], generator: torch.Generator) -> Edits:
    """Edits of a tenth of the tokens that may be edited, with random probabilities."""
    shape = canvas.ids.shape
    u, v, token = (torch.rand(shape, generator=generator) for _ in range(3))
    written = torch.tensor(ids)[(token * len(ids)).long()]
    editable = ~canvas.frozen
    return Edits(
        delete=(u < 0.05) & editable,
        substitute=torch.where((u > 0.95) & editable, written, -1),
        insert=torch.where((v < 0.05) & canvas.editable_gaps, 1 + (40 * v).long(), 0),
        insert_id=written.roll(1, 1)[..., None],
        probability=torch.rand(shape, generator=generator).clamp_min(0.01),
        insert_probability=torch.rand(shape, generator=generator).clamp_min(0.01),
    )


def edited(window: WindowTokens, ids: list[int], seed: int, passes: int) -> Canvas:
    generator = torch.Generator().manual_seed(seed)
    canvas = canvas_of([window])
    for _ in range(passes):
        canvas = apply_edits(canvas, random_edits(canvas, ids, generator), 1000)
    return canvas


def text_of(row: Canvas, tokenizer: CodeTokenizer) -> str | None:
    """The text of the tokens that are not frozen, None where it is not UTF-8."""
    try:
        return tokenizer.decode(row.ids[0][~row.frozen[0]].tolist())
    except UnicodeDecodeError:
        return None


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_edits_give_the_text_of_the_tokens(code_tokenizer: CodeTokenizer, seed: int, passes: int) -> None:
    ascii_ids = [i for i in range(FIRST_TEXT_ID, 600) if code_tokenizer.token_bytes(i).isascii()]
    window = encode_window(Window(CODE, file="a.py", after="x\n"), code_tokenizer)
    row = edited(window, ascii_ids, seed, passes)
    edits = read_edits(row, window, code_tokenizer)
    assert Pieces.of(CODE).edited(edits).text == text_of(row, code_tokenizer)
    assert all(0 < probability <= 1 for _, _, _, probability in edits)


@given(st.text("aé→😀\n", min_size=1), st.integers(0, 2**32), st.integers(1, 3))
def test_a_character_that_is_cut_gives_no_edits(
    code_tokenizer: CodeTokenizer, text: str, seed: int, passes: int
) -> None:
    window = encode_window(Window(text), code_tokenizer)
    row = edited(window, list(range(FIRST_TEXT_ID, 600)), seed, passes)
    edits = read_edits(row, window, code_tokenizer)
    written = text_of(row, code_tokenizer)
    assert edits == [] or Pieces.of(text).edited(edits).text == written


@pytest.fixture
def accent(code_tokenizer: CodeTokenizer) -> WindowTokens:
    """A window over `aéb`, in which the accented letter is two tokens."""
    window = encode_window(Window("aéb\n"), code_tokenizer)
    assert window.end - window.start == 5
    return window


def changed(window: WindowTokens, **changes: dict[int, float]) -> Canvas:
    """The row of a window with some edits, given as editable token: value."""
    canvas = canvas_of([window])
    edits = no_edits(canvas)
    for name, values in changes.items():
        for place, value in values.items():
            getattr(edits, name)[0, window.start + place] = value
    return apply_edits(canvas, edits, 1000)


def test_half_a_character_is_never_replaced(accent: WindowTokens, code_tokenizer: CodeTokenizer) -> None:
    letter = code_tokenizer.encode("x").ids[0]
    for row in (
        changed(accent, substitute={2: letter}),
        changed(accent, substitute={1: letter}),
        changed(accent, delete={1: True}),
        changed(accent, delete={2: True}),
        changed(accent, insert={1: 1}, insert_id={1: letter}),
        changed(accent, delete={0: True, 2: True}),
    ):
        assert read_edits(row, accent, code_tokenizer) == []


def test_halves_of_two_characters_do_not_make_a_third(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window("\xc3\xa9\n"), code_tokenizer)
    assert window.end - window.start == 5
    row = changed(window, delete={1: True, 2: True})
    assert text_of(row, code_tokenizer) == "\xe9\n"
    assert read_edits(row, window, code_tokenizer) == []


def test_a_whole_character_is_replaced(accent: WindowTokens, code_tokenizer: CodeTokenizer) -> None:
    letter = code_tokenizer.encode("x").ids[0]
    gone = changed(accent, delete={1: True, 2: True})
    assert read_edits(gone, accent, code_tokenizer) == [(1, 2, "", 1.0)]
    other = changed(accent, delete={1: True}, substitute={2: letter})
    assert read_edits(other, accent, code_tokenizer) == [(1, 2, "x", 1.0)]


def test_probabilities_of_one_edit_multiply(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window("a + b\n"), code_tokenizer)
    minus = code_tokenizer.encode(" -").ids[0]
    changes: dict[str, dict[int, float]] = {
        "substitute": {1: minus},
        "insert": {1: 1},
        "insert_id": {1: minus},
        "delete": {2: True},
        "probability": {1: 0.5, 2: 0.25},
        "insert_probability": {1: 0.5},
    }
    ((start, end, new, probability),) = read_edits(changed(window, **changes), window, code_tokenizer)
    assert (start, end, new) == (1, 5, " - -")
    assert probability == pytest.approx(0.5 * 0.5 * 0.25)


def test_a_deletion_has_its_own_probability(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window("a + b\n"), code_tokenizer)
    row = changed(window, delete={1: True}, probability={1: 0.25})
    assert read_edits(row, window, code_tokenizer) == [(1, 3, "", 0.25)]


def test_insertions_at_both_ends(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window("a\n", imports="import b\n"), code_tokenizer)
    letter = code_tokenizer.encode("x").ids[0]
    row = changed(window, insert={-1: 1, 1: 2}, insert_id={-1: letter, 1: letter})
    assert read_edits(row, window, code_tokenizer) == [(0, 0, "x", 1.0), (2, 2, "xx", 1.0)]


def test_a_placeholder_is_no_text_yet(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window("a\n"), code_tokenizer)
    assert read_edits(changed(window, insert={0: 3}), window, code_tokenizer) == [(1, 1, "", 1.0)]


def test_a_token_that_is_put_back_is_no_edit(code_tokenizer: CodeTokenizer) -> None:
    window = encode_window(Window(CODE), code_tokenizer)
    other = changed(window, substitute={0: window.ids[window.start + 1]})
    back = replace(other, ids=canvas_of([window]).ids)
    assert read_edits(other, window, code_tokenizer) != []
    assert read_edits(back, window, code_tokenizer) == []


def test_each_row_has_its_own_strictness_and_temperature(code_tokenizer: CodeTokenizer) -> None:
    windows = [encode_window(Window(text), code_tokenizer) for text in ("a\n", CODE)]
    canvas = canvas_of(windows, [1.0, 0.5], [0.0, 0.25])
    assert (canvas.strictness.tolist(), canvas.temperature.tolist()) == ([1.0, 0.5], [0.0, 0.25])
    plain = canvas_of(windows)
    assert (plain.strictness.tolist(), plain.temperature.tolist()) == ([1.0, 1.0], [0.0, 0.0])
    assert math.prod(plain.ids.shape) == 2 * len(windows[1].ids)
