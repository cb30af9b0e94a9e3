"""Tiny runs for the tests of the training loop: a network of width 16 over random aligned edits."""

from pathlib import Path

import numpy as np
import torch

from editflow.alignment import align
from editflow.backbone import BackboneConfig
from editflow.canvas import FIRST_TEXT_ID
from editflow.window import FILE
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.config import DataConfig, NoiseConfig
from editflow_trainer.data.example import Example, Source
from editflow_trainer.data.header import Header, Vocabulary
from editflow_trainer.data.writing import write_shards
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.logs import Log
from editflow_trainer.training.machine import Machine
from editflow_trainer.training.trainer import Trainer

LINE_END = FIRST_TEXT_ID
VOCABULARY = 600
SHAPE = BackboneConfig(VOCABULARY, width=16, layers=2, heads=2, hidden=24, copy_width=8, max_count=4)
DATA = DataConfig(noise=NoiseConfig(vocabulary=VOCABULARY))
QUIET = DataConfig(
    noise=NoiseConfig(mask_rows=0, corrupt_rows=0, line_rows=0, tail_rows=0, vocabulary=VOCABULARY)
)
CONFIG = TrainConfig(
    SHAPE, DATA, steps=6, batch_tokens=300, precision="fp32", checkpoint_every=3, log_every=1
)
MACHINE = Machine(threads=1)
TIMED = ("elapsed", "tokens_per_second", "memory_mb")
Lines = list[dict[str, float]]


class Interrupted(Exception):
    """Stands for a machine that goes away."""


def make_example(seed: int) -> Example:
    """A mined edit: random tokens of which some are replaced, inserted and deleted."""
    rng = np.random.default_rng(seed)
    source: list[int] = rng.integers(LINE_END, LINE_END + 40, 8 + seed % 7 * 4).tolist()
    target = list(source)
    for _ in range(2):
        at, gone = int(rng.integers(0, len(target))), int(rng.integers(0, 3))
        target[at : at + gone] = rng.integers(LINE_END, LINE_END + 40, 2).tolist()
    z0, z1 = (np.array(side, np.int32) for side in align(source, target, {LINE_END}))
    kind = Source.FIX if seed % 2 else Source.EDIT
    return Example(kind, z0, z1, ((FILE, np.array([20], np.int32)),), np.array([21, 22], np.int32))


def make_shards(folder: Path, count: int = 40, source: str = "owner/name") -> Path:
    """One shard of `count` edits of a repository."""
    vocabulary = Vocabulary(VOCABULARY, "", (LINE_END,), (LINE_END + 1,))
    examples = ((source, make_example(seed)) for seed in range(count))
    write_shards(folder, "mined", examples, Header(Codec.zlib, vocabulary, ()), 1 << 20)
    return folder


def interrupt_after(step: int) -> Log:
    """A log that breaks off once a step is past."""

    def log(line: dict[str, float]) -> None:
        if line["step"] > step:
            raise Interrupted

    return log


def untimed(lines: Lines) -> Lines:
    """Without what no two runs have in common."""
    return [{name: value for name, value in line.items() if name not in TIMED} for line in lines]


def same_weights(one: Trainer, other: Trainer, tolerance: float = 0.0) -> None:
    """AssertionError unless weights, averages and optimizer states agree."""
    for name, parameter in one.network.named_parameters():
        torch.testing.assert_close(
            parameter, other.network.get_parameter(name), rtol=0, atol=tolerance, msg=name
        )
        torch.testing.assert_close(
            one.average.values[name], other.average.values[name], rtol=0, atol=tolerance
        )
    for before, after in zip(one.optimizer.state.values(), other.optimizer.state.values(), strict=True):
        for key, value in before.items():
            torch.testing.assert_close(value, after[key], rtol=0, atol=tolerance)
