"""Prompts and answers: what is written is read back, marks stand around underlined runs, the rest is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID
from editflow.tokens import CodeTokenizer
from editflow.window import EDIT
from editflow_trainer.causal.formats import (
    ADDED,
    MARK,
    NUMBER,
    REMOVED,
    Diff,
    Format,
    FormatName,
    make_format,
)
from editflow_trainer.causal.parts import Parts
from editflow_trainer.causal.refusal import Reason, Refused

SOURCE = "def f(a):\n    b = a\n    return c\n"
TARGET = "def f(a):\n    b = a\n    return b\n"
code = st.lists(st.sampled_from(["\n", "\n    ", "a", " b", "12", "(", ")", "ü"]), max_size=20).map("".join)


def parts_of(tokenizer: CodeTokenizer, text: str, *marked: int) -> Parts:
    ids = tokenizer.encode(text).ids
    return Parts([BOS, EDIT], ids, [i in marked for i in range(len(ids))], [EOS])


def without(ids: list[int], *specials: int) -> list[int]:
    return [token for token in ids if token not in specials]


@pytest.fixture(scope="module", params=list(FormatName))
def form(request: pytest.FixtureRequest, code_tokenizer: CodeTokenizer) -> Format:
    return make_format(request.param, code_tokenizer)


@given(source=code, target=code)
def test_what_is_written_is_read_back(
    form: Format, code_tokenizer: CodeTokenizer, source: str, target: str
) -> None:
    parts, ids = parts_of(code_tokenizer, source), code_tokenizer.encode(target).ids
    assert form.read(parts, form.write(parts, ids)) == ids


@given(text=code, marked=st.sets(st.integers(0, 20)))
def test_marks_stand_before_and_after_each_underlined_run(
    code_tokenizer: CodeTokenizer, text: str, marked: set[int]
) -> None:
    parts = parts_of(code_tokenizer, text, *marked)
    prompt = make_format(FormatName.rewrite, code_tokenizer).prompt(parts)
    assert without(prompt, MARK) == [BOS, EDIT, *parts.editable, EOS]
    inside, underlined = [], False
    for token in prompt[2:-1]:
        if token == MARK:
            underlined = not underlined
        else:
            inside.append(underlined)
    assert inside == parts.marked
    assert [MARK, MARK] not in [prompt[i : i + 2] for i in range(len(prompt))]


def test_prompt_of_a_diff_numbers_the_lines(code_tokenizer: CodeTokenizer) -> None:
    parts = parts_of(code_tokenizer, "a\nb\n" * 6)
    prompt = Diff(code_tokenizer).prompt(parts)
    labels = [prompt[i + 1 : i + 3] for i, token in enumerate(prompt) if token == NUMBER]
    assert len(labels) == 12
    assert code_tokenizer.decode(labels[0][:1]) == "1"
    assert code_tokenizer.decode(without(labels[11], *code_tokenizer.encode("b").ids)) == "12"


def test_a_diff_holds_the_changed_line_and_nothing_where_nothing_changes(
    code_tokenizer: CodeTokenizer,
) -> None:
    form, parts = Diff(code_tokenizer), parts_of(code_tokenizer, SOURCE)
    answer = form.write(parts, code_tokenizer.encode(TARGET).ids)
    assert answer[0] == NUMBER
    assert (answer.count(REMOVED), answer.count(ADDED)) == (1, 1)
    assert "return c" in code_tokenizer.decode(answer[answer.index(REMOVED) : answer.index(ADDED)])
    assert "return b" in code_tokenizer.decode(answer[answer.index(ADDED) :])
    assert form.write(parts, parts.editable) == []
    assert form.read(parts, []) == parts.editable


class TestRefusals:
    def refusal(self, tokenizer: CodeTokenizer, *answer: int | str) -> Reason:
        ids = [
            t for part in answer for t in ([part] if isinstance(part, int) else tokenizer.encode(part).ids)
        ]
        with pytest.raises(Refused) as refused:
            Diff(tokenizer).read(parts_of(tokenizer, "a\nb\n"), ids)
        return refused.value.reason

    @pytest.mark.parametrize(
        "answer",
        [
            ["text"],
            [NUMBER],
            [NUMBER, "1", REMOVED, "a\n"],
            [NUMBER, "1", ADDED, "c\n", REMOVED, "a\n"],
            [NUMBER, REMOVED, "a\n", ADDED, "c\n"],
            [NUMBER, "x", REMOVED, "a\n", ADDED, "c\n"],
            [NUMBER, "0", REMOVED, ADDED, "c\n"],
            [NUMBER, "9" * 5000, REMOVED, ADDED, "c\n"],
            [NUMBER, "1", REMOVED, "a\n", ADDED, "c\n", NUMBER, "2"],
            ["x", NUMBER, "1", REMOVED, "a\n", ADDED, "c\n"],
            [NUMBER, "1", REMOVED, "a\n", ADDED, MARK, "c\n"],
            [NUMBER, "1", REMOVED, "a\n", ADDED, "no line end"],
        ],
    )
    def test_another_form(self, code_tokenizer: CodeTokenizer, answer: list[int | str]) -> None:
        assert self.refusal(code_tokenizer, *answer) is Reason.malformed

    def test_lines_that_are_not_there(self, code_tokenizer: CodeTokenizer) -> None:
        assert self.refusal(code_tokenizer, NUMBER, "2", REMOVED, "a\n", ADDED, "c\n") is Reason.other_lines
        assert self.refusal(code_tokenizer, NUMBER, "7", REMOVED, "a\n", ADDED) is Reason.no_such_line

    def test_a_rewrite_with_special_tokens(self, code_tokenizer: CodeTokenizer) -> None:
        parts = parts_of(code_tokenizer, "a\n")
        with pytest.raises(Refused):
            make_format(FormatName.rewrite, code_tokenizer).read(parts, [FIRST_TEXT_ID, NUMBER])
