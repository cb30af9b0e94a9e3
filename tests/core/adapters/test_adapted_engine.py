"""Engines with an adapter: as if loaded from merged weights, beside a base that stays as it was."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from editflow import engine as engine_module
from editflow.adapters.adapter import WEIGHTS, Adapter, AdapterError
from editflow.checkpoint import WEIGHTS as BASE_WEIGHTS
from editflow.checkpoint import Checkpoint, write_config
from editflow.document import Document
from editflow.engine import Engine
from editflow.request import Request
from tests.core.adapters.making import CALIBRATION, THRESHOLDS, make_adapter
from tests.core.wild import SHAPE, random_backbone, wild_engine

TEXT = "One line of text,\nand another: it goes on\nfor a while.\n\nThe end (nearly)."
MOVED = {"operation_head.bias": torch.tensor([1.0, 2.0, -3.0]), "gap_head.bias": torch.zeros(5)}


@pytest.fixture
def engine(tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(engine_module, "computes_bfloat16", lambda: False)
    return wild_engine(tokenizer_file)


@pytest.fixture
def adapter(tmp_path: Path, base: Checkpoint) -> Adapter:
    return make_adapter(tmp_path / "adapter", base, tensors=MOVED)


def texts(engine: Engine) -> list[str]:
    request = Request(Document.from_text(TEXT, Path("a.txt")))
    return [step.proposal.text for step in engine.fix(request)]


def test_it_answers_as_merged_weights_would(engine: Engine, adapter: Adapter, tmp_path: Path) -> None:
    before = texts(engine)
    adapted = engine.adapted(adapter)
    folder = tmp_path / "merged"
    shutil.copytree(engine.checkpoint.folder, folder)
    save_file({n: p.detach() for n, p in random_backbone().named_parameters()} | MOVED, folder / BASE_WEIGHTS)
    write_config(folder, "merged", SHAPE, THRESHOLDS, CALIBRATION)
    assert texts(adapted) == texts(Engine.load(str(folder), "cpu")) != before
    assert texts(engine) == before


def test_it_has_its_own_name_and_settings_and_shares_the_rest(engine: Engine, adapter: Adapter) -> None:
    adapted = engine.adapted(adapter)
    assert adapted.name == f"{engine.name}+{adapter.name}"
    assert (adapted.thresholds, adapted.calibration) == (THRESHOLDS, CALIBRATION)
    assert engine.thresholds != THRESHOLDS and engine.calibration != CALIBRATION
    assert adapted.tokenizer is engine.tokenizer
    assert adapted.backbone.embedding.weight is engine.backbone.embedding.weight


def test_an_adapter_of_another_base_is_refused(engine: Engine, adapter: Adapter) -> None:
    other = Adapter(adapter.folder, adapter.config | {"base": {"name": "old@0f0f0f0f", "sha256": "0f" * 32}})
    with pytest.raises(AdapterError, match=r"was trained for old@0f0f0f0f, this is wild@"):
        engine.adapted(other)


def test_a_damaged_adapter_is_refused(engine: Engine, adapter: Adapter) -> None:
    (adapter.folder / WEIGHTS).write_bytes(b"")
    with pytest.raises(AdapterError, match="truncated or was changed"):
        engine.adapted(adapter)


def test_an_adapter_that_does_not_fit_is_refused_by_name(
    engine: Engine, tmp_path: Path, base: Checkpoint
) -> None:
    adapter = make_adapter(tmp_path / "new", base, tensors={"gap_head.bias": torch.zeros(9)})
    with pytest.raises(AdapterError, match=rf"{adapter.name}: .*gap_head\.bias"):
        engine.adapted(adapter)


def test_adapters_do_not_pile_up(engine: Engine, adapter: Adapter) -> None:
    with pytest.raises(AdapterError, match="adapted already"):
        engine.adapted(adapter).adapted(adapter)
