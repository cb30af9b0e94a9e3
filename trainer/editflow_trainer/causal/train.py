"""Trains a causal baseline on the flow's own rows: source and target of each, without the flow's noise.

    python -m editflow_trainer.causal.train --format diff --shards DIR --tokenizer FILE --budget 12m --out DIR

It imports torch, numpy, safetensors, tokenizers and transformers alone, so it runs on a training machine without a
package registry. Muon and AdamW, bf16 autocast and a trapezoid of rates by time, as the flow is trained.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from editflow.backbone import BackboneConfig
from editflow.process.base import AlignedBatch
from editflow.tokens import CodeTokenizer
from editflow_trainer.causal.formats import Format, FormatName, make_format
from editflow_trainer.causal.model import answer_loss, new_model, save_model
from editflow_trainer.causal.sequences import make_sequences
from editflow_trainer.causal.stream import read_batches
from editflow_trainer.durations import seconds

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Log = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class CausalConfig:
    """A run of the baseline."""

    shape: BackboneConfig = field(default_factory=BackboneConfig)
    """Vocabulary, width, layers, heads and hidden size; the rest has no meaning here."""
    muon_rate: float = 0.02
    """Peak learning rate of Muon, for the matrices of the blocks."""
    adam_rate: float = 0.002
    """Peak learning rate of AdamW, for the embedding and the norms."""
    weight_decay: float = 0.01
    warmup: float = 0.02
    """Share of the run in which the rates rise."""
    cooldown: float = 0.5
    """Share of the run in which the rates fall linearly to zero."""
    clip: float = 1.0
    """Largest gradient norm."""
    log_every: int = 20
    """Steps between lines of the log."""
    seed: int = 0

    def rate(self, progress: float) -> float:
        """Share of the peak learning rate at progress in [0, 1]: a trapezoid."""
        rise, fall = progress / self.warmup, (1 - progress) / self.cooldown
        return max(0.0, min(1.0, rise, fall))


class CausalTrainer:
    """One run: takes aligned batches until its time is up."""

    def __init__(self, config: CausalConfig, form: Format, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.form, self.device = config, form, device
        self.model = new_model(config.shape).to(device)  # type: ignore[arg-type]
        self.optimizers = make_optimizers(self.model, config)
        self.peaks = [group["lr"] for o in self.optimizers for group in o.param_groups]
        self.steps = self.tokens = 0

    def run(self, batches: Iterator[AlignedBatch], budget: float, log: Log) -> None:
        """Train for `budget` seconds; learning rates follow time and end at zero."""
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < budget:
            loss = self.update(next(batches), elapsed / budget)
            if self.steps % self.config.log_every == 0:
                log(
                    {
                        "step": self.steps,
                        "loss": round(loss, 4),
                        "tokens": self.tokens,
                        "elapsed": round(elapsed, 1),
                    }
                )

    def update(self, batch: AlignedBatch, progress: float) -> float:
        """One optimiser step; returns the loss."""
        sequences = make_sequences(batch, self.form).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16), self._attention():
            loss = answer_loss(self.model, sequences)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        groups = [group for o in self.optimizers for group in o.param_groups]
        for group, peak in zip(groups, self.peaks, strict=True):
            group["lr"] = peak * self.config.rate(progress)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.steps += 1
        self.tokens += sequences.ids.numel()
        return loss.item()

    def _attention(self) -> AbstractContextManager[None]:
        """On a CPU the plain kernel's backward pass is faster than the fused one at these lengths."""
        return sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()


def make_optimizers(model: PreTrainedModel, config: CausalConfig) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices, AdamW for the embedding and the norms."""
    embedding = model.get_input_embeddings().weight
    matrices = [p for p in model.parameters() if p.ndim == 2 and p is not embedding]
    others = [p for p in model.parameters() if p.ndim != 2 or p is embedding]
    muon = torch.optim.Muon(matrices, lr=config.muon_rate, weight_decay=config.weight_decay, momentum=0.95)
    adam = torch.optim.AdamW(others, lr=config.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
    return [muon, adam]


def train(
    config: CausalConfig,
    name: FormatName,
    tokenizer: Path,
    batches: Iterator[AlignedBatch],
    budget: float,
    out: Path,
    say: Callable[[str], None],
    device: str = "cpu",
) -> Path:
    """Train one baseline and write its folder, with `log.jsonl` beside the weights."""
    out.mkdir(parents=True, exist_ok=True)
    form = make_format(name, CodeTokenizer.from_file(tokenizer))
    trainer = CausalTrainer(config, form, torch.device(device))
    with (out / "log.jsonl").open("w", encoding="utf-8") as log:

        def record(line: dict[str, float]) -> None:
            print(json.dumps(line), file=log, flush=True)
            say(json.dumps(line))

        trainer.run(batches, budget, record)
    facts = {"steps": trainer.steps, "tokens": trainer.tokens, "seconds": budget, "device": device}
    save_model(trainer.model, tokenizer, out, name, facts)
    return out


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--format", type=FormatName, choices=list(FormatName), required=True)
    parser.add_argument("--shards", type=Path, required=True, help="folder of prepared rows")
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json of the rows")
    parser.add_argument("--budget", default="10m", help="training time in all: 300s, 10m, 1.5h")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="most slots of a batch of rows")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw rows")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shape = BackboneConfig(vocab_size=CodeTokenizer.from_file(options.tokenizer).size)
    batches = read_batches(
        options.shards, options.tokenizer, options.batch_tokens, options.seed, options.workers
    )
    config = CausalConfig(shape, seed=options.seed)
    budget = seconds(options.budget)
    train(config, options.format, options.tokenizer, batches, budget, options.out, print, options.device)


if __name__ == "__main__":
    main()
