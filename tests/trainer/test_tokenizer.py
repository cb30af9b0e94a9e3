"""The tokenizer: what is one token, what never is, and that every text comes back."""

import inspect
import json
import shlex
import textwrap
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from editflow.tokens import SPECIAL_TOKENS
from editflow_trainer.sources import functions_in, functions_under
from editflow_trainer.tokenizer import tokens_per_character, train_tokenizer

VOCABULARY = 1000


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Trained on json and textwrap, then loaded from its file."""
    folder = tmp_path_factory.mktemp("tokenizer")
    functions = [
        *functions_under(Path(json.__file__).parent, package="json"),
        *functions_in(inspect.getsource(textwrap), package="textwrap", path="textwrap.py"),
    ]
    rows = "".join(json.dumps(asdict(function)) + "\n" for function in functions)
    (folder / "functions.jsonl").write_text(rows, "utf-8")
    train_tokenizer(folder / "functions.jsonl", folder / "tokenizer.json", vocab_size=VOCABULARY)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.decode([token]) for token in tokenizer.encode(text).ids]


def test_special_tokens_have_the_first_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(16))
    assert tokenizer.get_vocab_size() == VOCABULARY


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_special_tokens_in_a_text_are_text(tokenizer: Tokenizer, token: str) -> None:
    for text in (token, f"x = '{token}'\n", token * 3):
        ids = tokenizer.encode(text).ids
        assert min(ids) >= len(SPECIAL_TOKENS)
        assert tokenizer.decode(ids) == text


@given(text=st.text() | st.text("<edit>pad_ \t\r\n01\"'(=)é", max_size=60))
def test_every_text_survives_the_round_trip(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text
    assert not set(ids) & set(range(len(SPECIAL_TOKENS)))


@pytest.mark.parametrize("depth", [0, 4, 8, 12])
def test_newline_and_indentation_are_one_token(tokenizer: Tokenizer, depth: int) -> None:
    assert "\n" + " " * depth in pieces(tokenizer, f"if x:\n{' ' * depth}return y\n")


def test_digits_brackets_and_quotes_stand_alone(tokenizer: Tokenizer) -> None:
    assert pieces(tokenizer, "2048") == list("2048")
    assert pieces(tokenizer, "(([]){})") == list("(([]){})")
    assert pieces(tokenizer, "f('', \"\")") == ["f", "(", "'", "'", ",", ' "', '"', ")"]


@pytest.mark.parametrize("operator", ["==", "!=", "<=", ">=", "//", "**", "->", "+=", "-=", "*=", ":=", "<<"])
def test_no_token_joins_an_operator_with_its_operands(tokenizer: Tokenizer, operator: str) -> None:
    before, after = tokenizer.encode("x").tokens, tokenizer.encode("y").tokens
    between = tokenizer.encode(operator).tokens
    assert tokenizer.encode(f"x{operator}y").tokens == [*before, *between, *after]


def test_no_token_crosses_a_line_or_a_word(tokenizer: Tokenizer) -> None:
    texts = (tokenizer.decode([token]) for token in range(len(SPECIAL_TOKENS), VOCABULARY))
    for text in texts:
        body = text.lstrip(" \t\r\n")
        assert not set(body) & set(" \t\n")
        assert body == "" or not text.startswith(("\n", "\r"))


def test_unseen_code_costs_less_than_a_token_for_two_characters(tokenizer: Tokenizer) -> None:
    functions = list(functions_in(inspect.getsource(shlex), package="shlex", path="shlex.py"))
    assert 0.1 < tokens_per_character(tokenizer, functions) < 0.5
