"""`editflow adapt` from a folder of transformers to a checkpoint, a recipe, and merged weights."""

from pathlib import Path

import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast
from typer.testing import CliRunner, Result

from editflow.checkpoint import WEIGHTS, Checkpoint
from editflow_trainer.adaptation.errors import AdaptationError
from editflow_trainer.adaptation.lora import add_lora
from editflow_trainer.commands.adapt import adapt
from editflow_trainer.recipe import read_recipe
from tests.trainer.adaptation.bases import END, TEXT, make_model, small_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as the hub has it."""
    folder = tmp_path_factory.mktemp("base")
    make_model("llama").save_pretrained(folder)
    names = {"bos_token": END, "eos_token": END}
    fast = PreTrainedTokenizerFast(tokenizer_object=small_tokenizer(), **names)  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)
    return folder


def run(*arguments: object) -> Result:
    app = typer.Typer(add_completion=False)
    app.command()(adapt)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_a_folder_becomes_a_checkpoint_with_a_recipe(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run(
        *("--base", folder, "--out", out, "--tokenizer", "base", "--keep-layers", 2),
        *("--anneal-steps", 7, "--lora", 3),
    )
    assert ran.exception is None, ran.output
    checkpoint = Checkpoint.open(str(out))
    network, tokenizer = checkpoint.backbone(), checkpoint.tokenizer()
    assert tokenizer.decode(tokenizer.encode(TEXT).ids) == TEXT
    assert len(network.blocks) == 2
    base = make_model("llama").state_dict()
    last = base["model.layers.2.mlp.down_proj.weight"].bfloat16().float()
    assert network.state_dict()["blocks.1.down.weight"].equal(last)
    recipe = read_recipe(out / "recipe.toml")
    assert recipe.train.backbone == checkpoint.backbone_config()
    assert (recipe.train.anneal_steps, recipe.train.lora_rank) == (7, 3)
    assert Path(recipe.init) == out / WEIGHTS


def test_trained_updates_are_merged_into_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    start, trained, end = tmp_path / "start", tmp_path / "weights.safetensors", tmp_path / "end"
    run("--base", folder, "--out", start, "--tokenizer", "base", "--lora", 3)
    model = Checkpoint.open(str(start)).backbone()
    add_lora(model, 3)
    with torch.no_grad():
        model.state_dict()["blocks.0.qkv.lora_B.default.weight"].fill_(0.5)
        model.token_bias.fill_(2.0)
    save_file({name: p.detach().contiguous() for name, p in model.named_parameters()}, trained)
    assert run("--base", start, "--merge", trained, "--out", end).exception is None
    merged = Checkpoint.open(str(end)).backbone()
    ids = torch.arange(16, 26)[None]
    arguments = (ids, torch.zeros_like(ids), torch.ones_like(ids).bool())
    with torch.no_grad():
        assert torch.allclose(merged(*arguments).states, model(*arguments).states, atol=0.05)
    name = "blocks.0.qkv.weight"
    assert not merged.state_dict()[name].equal(load_file(start / WEIGHTS)[name].float())
    assert (merged.token_bias == 2).all()


def test_weights_of_another_network_are_not_merged(folder: Path, tmp_path: Path) -> None:
    for layers in (1, 2):
        run("--base", folder, "--out", tmp_path / str(layers), "--tokenizer", "base", "--keep-layers", layers)
    ran = run("--base", tmp_path / "1", "--merge", tmp_path / "2" / WEIGHTS, "--out", tmp_path / "end")
    assert isinstance(ran.exception, AdaptationError)


@pytest.mark.parametrize(
    ("arguments", "finding"),
    [
        (("--layers", "0", "--keep-layers", 1), "not both"),
        (("--layers", "9"), "layers 0 to 2"),
        (("--tokenizer", "missing.json"), "missing.json"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, tmp_path: Path, arguments: tuple[object, ...], finding: str
) -> None:
    ran = run("--base", folder, "--out", tmp_path / "out", *arguments)
    assert finding in str(ran.exception)


@pytest.mark.parametrize("name", ["/no/such/folder", "no.gguf", "no-one/no-such-model"])
def test_a_base_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ran = run("--base", name, "--out", tmp_path / "out")
    assert isinstance(ran.exception, AdaptationError)
    assert name in str(ran.exception)
