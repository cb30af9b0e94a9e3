"""The training loop on a few rows: it learns them, ends at rate zero, and writes a folder that can be read."""

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
import torch

from editflow.canvas import BOS, EOS, Role
from editflow.document import Document
from editflow.process.base import AlignedBatch
from editflow.request import Request
from editflow.tokens import CodeTokenizer
from editflow.window import EDIT
from editflow_trainer.causal.fixer import CausalFixer
from editflow_trainer.causal.formats import FormatName, make_format
from editflow_trainer.causal.model import CausalCheckpoint, save_model
from editflow_trainer.causal.train import CausalConfig, CausalTrainer, make_optimizers, train
from tests.trainer.causal.tiny import SHAPE, tiny_model

SOURCE = "def f(a):\n    b = a\n    return c\n"
TARGET = "def f(a):\n    b = a\n    return b\n"


def batch_of(tokenizer: CodeTokenizer, source: str, target: str) -> AlignedBatch:
    """One row whose sides have equally many tokens."""
    old, new = (tokenizer.encode(text).ids for text in (source, target))
    z0, z1 = ([BOS, EDIT, *ids, EOS] for ids in (old, new))
    role = [0, 0, *[int(Role.ORIGINAL)] * len(old), 0]
    return AlignedBatch(*(torch.tensor([row]) for row in (z0, z1, role)))


@pytest.fixture
def batches(code_tokenizer: CodeTokenizer) -> Iterator[AlignedBatch]:
    return repeat(batch_of(code_tokenizer, SOURCE, TARGET))


def test_rates_rise_stay_and_fall_to_zero() -> None:
    config = CausalConfig(warmup=0.1, cooldown=0.5)
    assert [config.rate(p) for p in (0, 0.05, 0.1, 0.5, 0.75, 1)] == pytest.approx([0, 0.5, 1, 1, 0.5, 0])


def test_matrices_of_the_blocks_are_for_muon_and_everything_else_for_adam() -> None:
    model = tiny_model()
    muon, adam = make_optimizers(model, CausalConfig(SHAPE))
    held = [{id(p) for group in o.param_groups for p in group["params"]} for o in (muon, adam)]
    assert held[0] | held[1] == {id(p) for p in model.parameters()}
    assert not held[0] & held[1]
    assert id(model.get_input_embeddings().weight) in held[1]


def test_the_same_seed_gives_the_same_losses(
    code_tokenizer: CodeTokenizer, batches: Iterator[AlignedBatch]
) -> None:
    def losses(seed: int) -> list[float]:
        form = make_format(FormatName.diff, code_tokenizer)
        trainer = CausalTrainer(CausalConfig(SHAPE, seed=seed), form, torch.device("cpu"))
        return [trainer.update(next(batches), 0.5) for _ in range(3)]

    assert losses(1) == losses(1) != losses(2)


@pytest.mark.parametrize("name", list(FormatName))
def test_one_row_is_learnt_and_fixed(
    name: FormatName, tokenizer_file: Path, batches: Iterator[AlignedBatch], tmp_path: Path
) -> None:
    form = make_format(name, CodeTokenizer.from_file(tokenizer_file))
    trainer = CausalTrainer(CausalConfig(SHAPE, adam_rate=0.02), form, torch.device("cpu"))
    losses = [trainer.update(next(batches), 0.5) for _ in range(40)]
    assert losses[-1] < 0.05 < losses[0]
    assert trainer.steps == 40
    save_model(trainer.model, tokenizer_file, tmp_path, name, {})
    engine = CausalFixer(CausalCheckpoint(tmp_path), name, torch.device("cpu"))
    request = Request(Document.from_text(SOURCE), diagnostics=(), threshold=0.0)
    assert engine.fix_many([request])[0].proposal.text == TARGET


def test_a_run_ends_with_its_time_and_leaves_a_folder(
    tokenizer_file: Path, batches: Iterator[AlignedBatch], tmp_path: Path
) -> None:
    config, said = CausalConfig(SHAPE, log_every=1), list[str]()
    folder = train(config, FormatName.diff, tokenizer_file, batches, 0.3, tmp_path / "model", said.append)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    facts = json.loads((folder / "causal.json").read_text("utf-8"))
    assert [json.loads(line) for line in said] == log
    assert facts["format"] == "diff"
    assert facts["steps"] == log[-1]["step"] == len(log)
    assert facts["tokens"] == log[-1]["tokens"]
    assert all(line["elapsed"] <= 0.3 for line in log)
    CausalCheckpoint(folder).check(FormatName.diff)
