"""Fits an adapter: the base's network trained on a repository's shards for a given time, resumable at any step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

from editflow.adapters.apply import LORA_A, LORA_B
from editflow.backbone import BackboneConfig
from editflow.checkpoint import WEIGHTS, Checkpoint
from editflow.device import computes_bfloat16
from editflow.errors import EditFlowError
from editflow.quantization import dequantize
from editflow_trainer.data.config import DataConfig, HintConfig, Mixture, NoiseConfig
from editflow_trainer.personal.options import Method
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.logs import LOG, json_lines
from editflow_trainer.training.machine import Machine
from editflow_trainer.training.trainer import Trainer

SMALL = 50_000_000
"""Parameters of a network up to which all of it is trained: its adapter is no larger than a picture."""
ENDLESS = 1_000_000  # steps; time decides
SLIPS = Mixture(injected=0.5, names=0.15, fix=0.05, edit=0.1, clean=0.2)
"""Where hardly any edit repeats what others did: the repository's own names and habits, by bugs put into its code."""
EDITS = Mixture(injected=0.25, names=0.1, fix=0.1, edit=0.35, clean=0.2)
"""What is approached where more of them do."""
HINTS = HintConfig(keep_message=0.95, misleading=0.3)
CONVENTIONS = DataConfig(
    mixture=Mixture(injected=0.18, names=0.05, fix=0.15, edit=0.47, clean=0.15),
    hints=HintConfig(
        keep_message=0.95, keep_instruction=0.8, line=0.2, keep_around=0.2, keep_imports=0.1, misleading=0.3
    ),
    noise=NoiseConfig(mask_rows=0.3, corrupt_rows=0.0, line_rows=0.0, tail_rows=0.0),
)
"""Where edits keep doing the same: those edits, and little else."""
CONVENTION_RATE = 1.5e-3
"""Peak learning rate of AdamW on them, where the whole network is trained."""
RATES = {"full": 5e-4, "lora": 3e-3}
"""Peak learning rates of AdamW elsewhere."""
MUON_RATE = 5e-3
"""Peak learning rate of the matrices of a network that is trained whole: a quarter of the base's own."""


class InterruptedTrainingError(EditFlowError):
    """Training was stopped from outside, and its state kept."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is fitted, and where."""

    base: Checkpoint
    shards: Path
    folder: Path
    machine: Machine
    method: Method
    rank: int
    seed: int
    conventional: float
    """How far edits repeat older ones (see editflow_trainer.personal.lessons)."""


def chosen_method(method: Method, config: BackboneConfig) -> Method:
    """full or lora."""
    if method is not Method.auto:
        return method
    return Method.full if config.matrix_size() <= SMALL else Method.lora


def data_config(conventional: float, vocabulary: int) -> DataConfig:
    """What is shown: CONVENTIONS at 1, else from SLIPS towards EDITS with all the noise of the base's training."""
    most = min(NoiseConfig().vocabulary, vocabulary)
    if conventional == 1:
        return replace(CONVENTIONS, noise=replace(CONVENTIONS.noise, vocabulary=most))
    pairs = zip(astuple(SLIPS), astuple(EDITS), strict=True)
    mixture = Mixture(*((1 - conventional) * one + conventional * other for one, other in pairs))
    return DataConfig(mixture=mixture, hints=HINTS, noise=NoiseConfig(vocabulary=most))


def train_config(fitting: Fitting) -> TrainConfig:
    """How an adapter is trained: small batches, for there is time for few; time sets the learning rate."""
    backbone = fitting.base.backbone_config()
    method = chosen_method(fitting.method, backbone)
    repeats, whole = fitting.conventional == 1, method is Method.full
    emulated = fitting.machine.device == "cpu" and not computes_bfloat16()
    return TrainConfig(
        backbone=backbone,
        data=data_config(fitting.conventional, backbone.vocab_size),
        steps=ENDLESS,
        batch_tokens=2048,
        optimizer="muon" if whole and not repeats else "adamw",
        muon_rate=MUON_RATE,
        adam_rate=CONVENTION_RATE if whole and repeats else RATES[method],
        warmup=0.05,
        cooldown=0.6,
        ema_decay=0.99,
        precision="fp32" if emulated else "bf16",
        lora_rank=fitting.rank if method is Method.lora else 0,
        lora_alone=method is Method.lora,
        checkpoint_every=100,
        log_every=10,
        seed=fitting.seed,
    )


def fit(
    fitting: Fitting, budget: float, watch: Callable[[Trainer, dict[str, float]], None]
) -> dict[str, Tensor]:
    """Train for `budget` seconds in all, earlier calls in the same folder counted; the adapter's tensors.

    `watch` gets every line of the log.

    Raises:
        InterruptedTrainingError: the person interrupted it; the state is kept.
        EditFlowError: the shards hold nothing to train on, or the folder is of another run.
    """
    torch.set_num_threads(fitting.machine.threads)
    config, start = train_config(fitting), _plain_weights(fitting)
    trainer = Trainer(config, fitting.shards, fitting.folder, fitting.machine, start)
    with json_lines(fitting.folder / LOG, trainer.step) as write, _interruptible() as interrupted:

        def log(line: dict[str, float]) -> None:
            write(line)
            watch(trainer, line)

        if not trainer.run(log, None, budget, stopped=interrupted) or interrupted():
            raise InterruptedTrainingError("stopped: run the same command with --resume to go on")
    return adapter_tensors(base_tensors(fitting.base), trainer.average.full())


def base_tensors(base: Checkpoint) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, in float32."""
    return {name: tensor.detach() for name, tensor in base.backbone().named_parameters()}


def adapter_tensors(base: Mapping[str, Tensor], trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of the trained weights is not the base's, as an adapter names it (see editflow.adapters)."""
    found: dict[str, Tensor] = {}
    for name, value in trained.items():
        plain = name.replace(".base_layer", "")
        if ".lora_A." in name or ".lora_B." in name:
            end = LORA_A if ".lora_A." in name else LORA_B
            found[f"{name.partition('.lora_')[0]}.weight{end}"] = value
        elif not torch.equal(value.cpu().bfloat16(), base[plain].bfloat16()):
            found[plain] = value
    return found


def _plain_weights(fitting: Fitting) -> Path:
    """The base's weights in a file that training reads; a checkpoint may hold them in int8."""
    from safetensors.torch import load_file, save_file

    source = fitting.base.folder / WEIGHTS
    found = load_file(source)
    if all(tensor.is_floating_point() for tensor in found.values()):
        return source
    fitting.folder.mkdir(parents=True, exist_ok=True)
    target = fitting.folder / "base.safetensors"
    save_file(dequantize(found), target)
    return target


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C, or request to end, is noted and asked for between steps; a second one ends at once."""
    noted: list[int] = []
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)
        for each, handler in kept.items():
            signal.signal(each, handler)

    for number in kept:
        signal.signal(number, note)
    try:
        yield lambda: bool(noted)
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler)
