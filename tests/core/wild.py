"""An engine whose small network answers at random, so that all kinds of edits happen, and one with a script."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save_file

from editflow.backbone import Backbone, BackboneConfig
from editflow.checkpoint import CARD, TOKENIZER, WEIGHTS, Calibration, write_config
from editflow.engine import Engine, Work
from editflow.pieces import TextEdit
from editflow.process.edit_flow import Thresholds
from editflow.window import Window

SHAPE = BackboneConfig(vocab_size=600, width=32, layers=1, heads=2, hidden=64, copy_width=8, max_count=4)
Script = Callable[[Window], list[TextEdit]]


def random_backbone() -> Backbone:
    """About one token in six is edited, and one gap in ten."""
    torch.manual_seed(7)
    model = Backbone(SHAPE)
    with torch.no_grad():
        for head in (model.operation_head, model.gap_head):
            head.weight.normal_(std=2 * head.in_features**-0.5)
        model.operation_head.bias.copy_(torch.tensor([3.0, 0.5, 0.5]))
        model.gap_head.bias[0] = 3.5
    return model


@cache
def wild_checkpoint(tokenizer_file: Path) -> Path:
    """A checkpoint folder with the random network, which shows all that it finds."""
    folder = tokenizer_file.parent / "wild"
    folder.mkdir()
    save_file({name: p.detach() for name, p in random_backbone().named_parameters()}, folder / WEIGHTS)
    shutil.copy(tokenizer_file, folder / TOKENIZER)
    (folder / CARD).write_text("# Random\n", "utf-8")
    write_config(folder, "wild", SHAPE, Thresholds(), Calibration(show=0.0))
    return folder


@cache
def wild_engine(tokenizer_file: Path) -> Engine:
    """The engine of `wild_checkpoint`, on the CPU."""
    return Engine.load(str(wild_checkpoint(tokenizer_file)), "cpu")


class ScriptedEngine(Engine):
    """Makes one pass a batch, which finds the edits that the script has for a window."""

    def __init__(self, engine: Engine, script: Script) -> None:
        super().__init__(engine.checkpoint, engine.device)
        self.script = script
        self.seen: list[Window] = []

    def _passes(self, work: Sequence[Work], windows: Mapping[int, int]) -> Iterator[None]:
        for attempt, placed, _ in work:
            self.seen.append(placed.window)
            attempt.update(placed, self.script(placed.window))
        yield


def replacing(*pairs: tuple[str, str], probability: float = 0.9) -> Script:
    """A script that replaces each old text wherever it stands."""

    def edits(window: Window) -> list[TextEdit]:
        return [
            (at, at + len(old), new, probability)
            for old, new in pairs
            for at in range(len(window.text))
            if window.text.startswith(old, at)
        ]

    return edits
