"""Evaluation during training: the loss on held-back rows, and how many rows the decoder gives back exactly.

Everything is counted in tokens, so it needs the shards alone. Rows for decoding carry their bugs and hints but no
random noise, which no decoder could undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from editflow.backbone import Backbone
from editflow.canvas import Canvas
from editflow.process.base import AlignedBatch
from editflow.process.continuous import ContinuousEditFlow
from editflow.process.corruption import observe
from editflow.sampler import MAX_PASSES, Sampler
from editflow_trainer.data.batches import Batches
from editflow_trainer.data.config import DataConfig, Mixture
from editflow_trainer.data.on_policy import canvas_of
from editflow_trainer.data.plan import lanes
from editflow_trainer.data.shards import open_shards
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.objective import Objective, make_process

EVALUATED_TOKENS = 16_384
"""Most tokens of a micro-batch whose loss is evaluated: the first one waits for the rows of many."""
DECODED_TOKENS = 32_768
"""Tokens of the rows that are decoded of each stream, padding included."""
SEED = 1
"""The same rows and states at every evaluation."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A row as it was decoded, in token ids with its context."""

    stream: str
    source: list[int]
    passes: list[list[int]]
    target: list[int]

    @property
    def exact(self) -> bool:
        """The decoder has written the target."""
        return (self.passes[-1] if self.passes else self.source) == self.target


class Evaluator:
    """Evaluates networks of one run on a folder of held-back shards."""

    def __init__(self, shards: Path, config: TrainConfig) -> None:
        self.shards, self.config = shards, config
        self.process = make_process(config)

    def losses(self, network: Backbone) -> dict[str, float]:
        """Loss terms, averaged over micro-batches as the trainer draws them."""
        objective = Objective(network, replace(self.config, on_policy_share=0.0))
        stream = self._batches(self.config.data, min(self.config.batch_tokens, EVALUATED_TOKENS))
        records = []
        for _ in range(self.config.evaluation_batches):
            batch = next(stream)
            with torch.no_grad(), self._precision(network):
                terms = objective(batch[0].to(network.norm.weight.device), batch[1], 0.0)
            records.append(terms.record())
        return {name: round(sum(r[name] for r in records) / len(records), 4) for name in records[0]}

    def flows(self, network: Backbone) -> Iterator[Flow]:
        """Decoded rows of every stream that training mixes."""
        for stream, data in decoded_streams(self.config.data, self.shards):
            aligned, _ = next(self._batches(data, min(self.config.batch_tokens, DECODED_TOKENS)))
            with self._precision(network):
                yield from self._decode(stream, network, aligned)

    def _decode(self, stream: str, network: Backbone, aligned: AlignedBatch) -> Iterator[Flow]:
        passes = self.process.passes if isinstance(self.process, ContinuousEditFlow) else MAX_PASSES
        source = canvas_of(observe(aligned, aligned.z0)).to(network.norm.weight.device)
        steps = [step.rows for step in Sampler(self.process, network, passes).steps(source)]
        for row, z1 in enumerate(aligned.z1):
            yield Flow(
                stream,
                _live(source.select(torch.tensor([row], device=source.ids.device))),
                [_live(rows[row]) for rows in steps],
                z1[z1 >= 0].tolist(),
            )

    def _batches(self, data: DataConfig, tokens: int) -> Iterator[tuple[AlignedBatch, int]]:
        for batch in Batches(self.shards, data, tokens, SEED).stream():
            yield batch.aligned, batch.seed

    def _precision(self, network: Backbone) -> torch.autocast:
        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.config.precision)
        return torch.autocast(network.norm.weight.device.type, kind, enabled=kind is not None)


def decoded_streams(data: DataConfig, shards: Path) -> Iterator[tuple[str, DataConfig]]:
    """Each stream of a mixture that the shards have: one bug a row, hints as in training, no random noise."""
    quiet = replace(data.noise, mask_rows=0.0, corrupt_rows=0.0, line_rows=0.0, tail_rows=0.0)
    alone = replace(data, noise=quiet, bugs=replace(data.bugs, single=1.0, focused=1))
    sources = np.concatenate([shard.index[:, 0] for shard in open_shards(shards)])
    nothing = {field.name: 0.0 for field in fields(Mixture)}
    for stream in sorted({lane.stream for lane in lanes(sources, data.mixture)}):
        name = stream.name.lower()
        yield name, replace(alone, mixture=Mixture(**nothing | {name: 1.0}))


def exact_shares(flows: list[Flow]) -> dict[str, float]:
    """Share of exact rows by stream."""
    streams = dict.fromkeys(flow.stream for flow in flows)
    shares = {}
    for stream in streams:
        hits = [flow.exact for flow in flows if flow.stream == stream]
        shares[f"exact_{stream}"] = round(sum(hits) / len(hits), 4)
    return shares


def _live(canvas: Canvas) -> list[int]:
    ids: list[int] = canvas.ids[0][canvas.live[0]].tolist()
    return ids
