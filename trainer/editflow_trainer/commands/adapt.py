"""The command `editflow adapt`: a pretrained causal model as the start of an editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editflow.checkpoint import DEFAULT, TOKENIZER, shipped_folder
from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from editflow_trainer.adaptation.base import Base
    from editflow_trainer.adaptation.vocabulary import Vocabulary


def adapt(
    base: Annotated[
        str, typer.Option(metavar="PATH|ID", help="Folder, .gguf file, or name on the hub; see --merge.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the checkpoint.")],
    tokenizer: Annotated[
        str, typer.Option(metavar="own|base|FILE", help="Vocabulary: ours, the base's, or a tokenizer.json.")
    ] = "own",
    layers: Annotated[
        str | None, typer.Option(metavar="LIST", help="Layers to keep: 0-5,24-29.  [default: all]")
    ] = None,
    keep_layers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of layers to keep, half at each end.")
    ] = None,
    anneal_steps: Annotated[
        int, typer.Option(min=0, help="Steps of training until attention is bidirectional.")
    ] = 0,
    lora: Annotated[
        int, typer.Option(min=0, metavar="RANK", help="Train updates of this rank.  [default: all weights]")
    ] = 0,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a model by its name on the hub.")
    ] = False,
    merge: Annotated[
        Path | None,
        typer.Option(metavar="WEIGHTS", help="Trained weights, to merge into the adapted checkpoint BASE."),
    ] = None,
) -> None:
    """Take over a Llama, Mistral or Qwen model: DIR is a checkpoint to be trained, and a recipe that does it.

    With --merge, make a checkpoint of trained weights, low-rank updates merged.
    """
    try:
        from editflow_trainer.adaptation import adapt as adaptation
        from editflow_trainer.adaptation import base as bases
        from editflow_trainer.adaptation import layers as selection
    except ModuleNotFoundError as error:
        raise EditFlowError(f"adaptation needs {error.name}; run pip install 'editflow[train]'") from error

    if layers is not None and keep_layers is not None:
        raise EditFlowError("give --layers or --keep-layers, not both")
    if merge is not None:
        adaptation.merge(Path(base), merge, out)
        return
    source = bases.load(base, download)
    total = source.config.num_hidden_layers
    kept = selection.parse(layers, total) if layers else selection.ends(total, keep_layers or total)
    training = adaptation.Training(anneal_steps, lora)
    shape = adaptation.adapt(source, _vocabulary(source, tokenizer), kept, training, out)
    typer.echo(f"{out}: {shape.layers} layers of width {shape.width}, {shape.vocab_size} tokens")


def _vocabulary(source: Base, tokenizer: str) -> Vocabulary:
    from editflow_trainer.adaptation.vocabulary import base_vocabulary, own_vocabulary

    if tokenizer == "base":
        return base_vocabulary(source)
    file = shipped_folder() / DEFAULT / TOKENIZER if tokenizer == "own" else Path(tokenizer)
    try:
        return own_vocabulary(source, file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EditFlowError(f"{file} cannot be read: name own, base, or a tokenizer.json") from error
