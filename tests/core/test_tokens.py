"""The tokenizer as the model uses it: bytes and spans add up to the text, special tokens stay apart."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, PAD, PLACEHOLDER
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer

TEXTS = st.text() | st.text("<edit>pad_ \t\r\n01\"'(=)éλ😀", max_size=60)


@given(TEXTS)
@example("<edit>x</edit><pad>")
def test_ids_bytes_and_spans_add_up_to_the_text(code_tokenizer: CodeTokenizer, text: str) -> None:
    encoding = code_tokenizer.encode(text)
    assert code_tokenizer.decode(encoding.ids) == text
    assert b"".join(map(code_tokenizer.token_bytes, encoding.ids)) == text.encode()
    assert all(FIRST_TEXT_ID <= token < code_tokenizer.size for token in encoding.ids)
    assert code_tokenizer.encode_batch([text, ""]) == [encoding.ids, []]
    covered = 0
    for start, end in encoding.spans:
        assert start <= covered <= end
        assert start < end  # the bytes of one character may be tokens that share its span
        covered = end
    assert covered == len(text)


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_special_token_has_no_bytes_and_no_text_becomes_one(
    code_tokenizer: CodeTokenizer, token: str
) -> None:
    assert code_tokenizer.token_bytes(SPECIAL_TOKENS.index(token)) == b""
    assert min(code_tokenizer.encode(f"a {token} b").ids) >= FIRST_TEXT_ID


def test_special_tokens_are_where_the_canvas_has_them() -> None:
    assert [SPECIAL_TOKENS[i] for i in (PAD, BOS, EOS, PLACEHOLDER)] == [
        "<pad>",
        "<bos>",
        "<eos>",
        "<placeholder>",
    ]
    assert len(SPECIAL_TOKENS) == FIRST_TEXT_ID


def test_line_ends_are_the_tokens_with_a_newline(code_tokenizer: CodeTokenizer) -> None:
    newlines = {i for i in range(code_tokenizer.size) if b"\n" in code_tokenizer.token_bytes(i)}
    assert code_tokenizer.line_ends == newlines
    ids = code_tokenizer.encode("if x:\n    return y").ids
    assert [code_tokenizer.decode([token]) for token in ids if token in newlines] == ["\n    "]


def test_half_a_character_does_not_decode(code_tokenizer: CodeTokenizer) -> None:
    ids = code_tokenizer.encode("😀").ids
    assert len(ids) > 1
    with pytest.raises(UnicodeDecodeError):
        code_tokenizer.decode(ids[:-1])


def test_a_tokenizer_with_other_special_tokens_is_refused(tokenizer_file: Path, tmp_path: Path) -> None:
    settings = json.loads(tokenizer_file.read_text("utf-8"))
    vocabulary = settings["model"]["vocab"]
    vocabulary["<bos>"], vocabulary["<eos>"] = vocabulary["<eos>"], vocabulary["<bos>"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings), "utf-8")
    with pytest.raises(ValueError, match="no <bos> at id 1"):
        CodeTokenizer.from_file(tmp_path / "tokenizer.json")
