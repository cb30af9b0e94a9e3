"""Rows from real shards: every one is a pair that both formats can say, and wrong shards are refused."""

import shutil
from itertools import islice
from pathlib import Path

import pytest
import torch

from editflow.canvas import PLACEHOLDER
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow_trainer.causal.formats import FormatName, make_format
from editflow_trainer.causal.parts import read_pairs
from editflow_trainer.causal.stream import read_batches
from editflow_trainer.corpus import read_functions
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.functions import KINDS, function_example
from editflow_trainer.data.header import Header
from editflow_trainer.data.preparation import vocabulary
from editflow_trainer.data.writing import write_shards

TOKENS = 4096


def write(folder: Path, tokenizer_file: Path, source: str) -> Path:
    tokenizer = CodeTokenizer.from_file(tokenizer_file)
    functions = list(islice(read_functions(tokenizer_file.parent / "functions.jsonl"), 6))
    examples = (function_example(function, tokenizer, 0) for function in functions)
    named = [(source, example) for example in examples if example is not None]
    folder.mkdir()
    write_shards(
        folder, "functions", named, Header(Codec.zlib, vocabulary(tokenizer_file), tuple(KINDS)), 1 << 20
    )
    return folder


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, tokenizer_file: Path) -> Path:
    return write(tmp_path_factory.mktemp("shards") / "textwrap", tokenizer_file, "textwrap")


def test_rows_are_pairs_that_both_formats_can_say(shards: Path, tokenizer_file: Path) -> None:
    tokenizer = CodeTokenizer.from_file(tokenizer_file)
    batches = list(islice(read_batches(shards, tokenizer_file, TOKENS, 0), 3))
    assert not any((batch.z0 == PLACEHOLDER).any() for batch in batches)
    pairs = [pair for batch in batches for pair in read_pairs(batch)]
    assert {parts.editable == target for parts, target in pairs} == {True, False}
    for parts, target in pairs:
        for name in FormatName:
            form = make_format(name, tokenizer)
            assert form.read(parts, form.write(parts, target)) == target


def test_the_same_seed_gives_the_same_rows(shards: Path, tokenizer_file: Path) -> None:
    first, again, other = (next(read_batches(shards, tokenizer_file, TOKENS, seed)) for seed in (0, 0, 1))
    assert torch.equal(first.z0, again.z0)
    assert first.z0.shape != other.z0.shape or not torch.equal(first.z0, other.z0)


def test_shards_of_another_tokenizer_are_refused(shards: Path, tokenizer_file: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(tokenizer_file, tmp_path))
    other.write_text(other.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(EditFlowError, match="were not made with"):
        read_batches(shards, other, TOKENS, 0)


def test_shards_of_a_validation_repository_are_refused(tokenizer_file: Path, tmp_path: Path) -> None:
    shards = write(tmp_path / "beets", tokenizer_file, "beetbox/beets")
    with pytest.raises(EditFlowError, match="must not be trained on"):
        read_batches(shards, tokenizer_file, TOKENS, 0)
