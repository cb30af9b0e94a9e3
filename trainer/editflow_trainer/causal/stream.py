"""The rows that a causal baseline is trained on: the flow's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from editflow.checkpoint import sha256
from editflow.errors import EditFlowError
from editflow.process.base import AlignedBatch
from editflow_trainer.data.batches import Batches
from editflow_trainer.data.config import DataConfig, NoiseConfig
from editflow_trainer.data.shards import open_shards
from editflow_trainer.splits import check_training

EDITS_ALONE = DataConfig(noise=NoiseConfig(mask_rows=0.0, corrupt_rows=0.0))
"""Without random masks and tokens: they are there to supervise more of a row, and an answer is supervised whole."""


def read_batches(
    shards: Path, tokenizer: Path, tokens: int, seed: int, workers: int = 0
) -> Iterator[AlignedBatch]:
    """Aligned batches without end, of at most `tokens` slots, padding included.

    Raises:
        EditFlowError: the shards were made with another tokenizer, or of what must not be trained on.
    """
    digest = sha256(tokenizer)
    for shard in open_shards(shards):
        if shard.header.vocabulary.sha256 != digest:
            raise EditFlowError(
                f"the shards in {shards} were not made with {tokenizer}: name their tokenizer"
            )
        check_training(shard.header.sources)
    return (batch.aligned for batch in Batches(shards, EDITS_ALONE, tokens, seed, workers).stream())
