"""Vocabularies of adapted models: every text comes back, and every token starts as the mean of its pieces."""

from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel, Whitespace

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID
from editflow.tokens import CodeTokenizer
from editflow_trainer.adaptation.base import Base
from editflow_trainer.adaptation.errors import AdaptationError
from editflow_trainer.adaptation.vocabulary import Vocabulary, base_vocabulary, own_vocabulary, transfer
from tests.trainer.adaptation.bases import END, TEXT, make_base


@cache
def rewritten() -> tuple[Vocabulary, CodeTokenizer]:
    """The base's own vocabulary."""
    vocabulary = base_vocabulary(make_base("llama")[0])
    return vocabulary, CodeTokenizer(Tokenizer.from_str(vocabulary.tokenizer))


@given(st.text() | st.text("defk\u0301\u1e31é \t\r\n<|endoftx>", max_size=40))
@example(f"a{END}b")
@example("k\u0301 is not \u1e31")
def test_every_text_comes_back_from_the_bases_tokens(text: str) -> None:
    _, tokenizer = rewritten()
    encoding = tokenizer.encode(text)
    assert tokenizer.decode(encoding.ids) == text
    assert min(encoding.ids, default=FIRST_TEXT_ID) >= FIRST_TEXT_ID
    covered = 0
    for start, end in encoding.spans:
        assert start <= covered <= end
        covered = end
    assert covered == len(text)


def test_text_that_the_base_knows_has_the_bases_tokens() -> None:
    vocabulary, tokenizer = rewritten()
    base, _ = make_base("llama")
    ours = tokenizer.encode(TEXT).ids
    assert [vocabulary.pieces[i] for i in ours] == [[i] for i in base.tokenizer.encode(TEXT).ids]
    lines = b"".join(tokenizer.token_bytes(i) for i in ours if i in tokenizer.line_ends)
    assert lines.count(b"\n") == TEXT.count("\n")


def test_special_tokens_of_the_base_go_and_ours_start_as_words() -> None:
    vocabulary, tokenizer = rewritten()
    base, _ = make_base("llama")
    assert END not in vocabulary.tokenizer
    assert tokenizer.size == vocabulary.size == base.tokenizer.get_vocab_size() - 1 + 16 + lacking(base)
    assert vocabulary.pieces[BOS] == vocabulary.pieces[EOS] == [0]
    assert all(vocabulary.pieces)


def lacking(base: Base) -> int:
    """Bytes for which the base has no token."""
    return sum(base.tokenizer.token_to_id(c) is None for c in ByteLevel.alphabet())


def test_our_tokens_are_cut_by_the_bases_merges(tokenizer_file: Path) -> None:
    base, _ = make_base("llama")
    vocabulary = own_vocabulary(base, tokenizer_file.read_text("utf-8"))
    ours = Tokenizer.from_str(vocabulary.tokenizer)
    assert vocabulary.size == ours.get_vocab_size()
    known = set(TEXT)
    checked = 0
    for i in range(FIRST_TEXT_ID, vocabulary.size):
        name = ours.id_to_token(i) or ""
        if set(name.replace("Ġ", " ").replace("Ċ", "\n")) <= known:
            assert "".join(base.tokenizer.id_to_token(p) or "" for p in vocabulary.pieces[i]) == name
            checked += 1
    assert checked > 20


def test_a_token_starts_as_the_mean_of_its_pieces() -> None:
    embeddings = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]])
    mean = transfer(embeddings, Vocabulary("", [[2], [0, 1], [0, 0, 1, 2]]))
    assert mean.tolist() == [[5.0, 1.0], [2.0, 4.0], [2.5, 2.75]]


@pytest.mark.parametrize("model", [WordLevel({"a": 0}), BPE()])
def test_a_tokenizer_that_is_not_byte_level_bpe_is_refused(model: WordLevel | BPE) -> None:
    base, _ = make_base("llama")
    words = Tokenizer(model)
    words.pre_tokenizer = Whitespace()
    other = Base("words", base.config, base.weights, words)
    with pytest.raises(AdaptationError, match="byte-level BPE"):
        base_vocabulary(other)
