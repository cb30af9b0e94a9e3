"""The training stage alone: prepared shards in, averaged weights out.

It imports torch, numpy, safetensors and tokenizers and nothing else, so it runs on a training machine that has no
package registry: `python -m editflow_trainer.train_shards --work DIR --preset gpu --budget 27m`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch

from editflow_trainer.config import TrainConfig
from editflow_trainer.durations import seconds
from editflow_trainer.presets import PRESETS
from editflow_trainer.trainer import Trainer

Say = Callable[[str], None]


def run_folder(work: Path, config: TrainConfig) -> Path:
    """Where a run lives: the default model's in `run`, an exact flow's in a folder named after what it is."""
    if config.flow is None:
        return work / "run"
    return work / ("run-localized" if config.flow.propagation else "run-published")


def train_shards(
    work: Path, config: TrainConfig, device: str, budget: float | None, say: Say, init: Path | None = None
) -> bool:
    """Train over `work`/shards, or go on; `budget` is seconds in all. True when all steps are made."""
    folder = run_folder(work, config)
    trainer = Trainer(config, work / "shards", folder, torch.device(device), init)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:

        def record(line: dict[str, float]) -> None:
            print(json.dumps(line), file=log, flush=True)
            say(json.dumps(line))

        complete = trainer.run(record, budget)
    trainer.save_weights()
    return complete


def main() -> None:
    """Command line of the training stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder that holds shards/")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="gpu")
    parser.add_argument("--init", type=Path, help="weights.safetensors or model.safetensors to start from")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--budget", default="27m", help="training time in all: 300s, 27m, 1.5h")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = "cuda" if options.preset == "gpu" else "cpu"
    budget, config = seconds(options.budget), PRESETS[options.preset]()
    train_shards(options.work, config, device, budget, print, options.init)


if __name__ == "__main__":
    main()
