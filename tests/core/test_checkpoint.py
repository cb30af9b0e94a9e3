"""Checkpoints: what is written comes back, and whatever is wrong with a folder is said in one line."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import BOS, EOS
from editflow.checkpoint import (
    CARD,
    CONFIG,
    MEMBERS,
    SCALE,
    TOKENIZER,
    WEIGHTS,
    Calibration,
    Checkpoint,
    CheckpointError,
    locate,
    sha256,
    shipped,
    write_config,
)
from editflow.confidence import Operation, platt_map
from editflow.process.continuous import FlowConfig
from editflow.process.edit_flow import Thresholds
from editflow.quantization import quantize

SHAPE = BackboneConfig(vocab_size=600, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
THRESHOLDS = Thresholds(delete=0.6, substitute=0.7, insert=0.8, fill=0.95)
CALIBRATION = Calibration(slope=1.5, intercept=-0.25, insert_slope=0.25, show=0.4)
Config = dict[str, Any]


def reseal(folder: Path) -> None:
    """Write config.json anew, so that nothing but the content of a member can be wrong."""
    write_config(folder, "tiny", SHAPE, THRESHOLDS, CALIBRATION)


def change_config(folder: Path, change: Callable[[Config], object]) -> None:
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    change(config)
    (folder / CONFIG).write_text(json.dumps(config), "utf-8")


def make_model() -> Backbone:
    torch.manual_seed(0)
    return Backbone(SHAPE)


@pytest.fixture
def folder(tmp_path: Path, tokenizer_file: Path) -> Path:
    """A checkpoint of a small network."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    save_file({name: p.detach().bfloat16() for name, p in make_model().named_parameters()}, folder / WEIGHTS)
    shutil.copy(tokenizer_file, folder / TOKENIZER)
    (folder / CARD).write_text("# A small network\n", "utf-8")
    reseal(folder)
    return folder


def refusal(act: Callable[[], object]) -> str:
    """The one line that a CheckpointError says."""
    with pytest.raises(CheckpointError) as caught:
        act()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_is_written_comes_back(folder: Path) -> None:
    checkpoint = Checkpoint.open(str(folder))
    assert checkpoint.backbone_config() == SHAPE
    assert checkpoint.thresholds() == THRESHOLDS
    assert checkpoint.calibration() == CALIBRATION
    assert checkpoint.fingerprint == sha256(folder / WEIGHTS)
    assert checkpoint.name == f"tiny@{checkpoint.fingerprint[:8]}"
    assert checkpoint.tokenizer().decode(checkpoint.tokenizer().encode("x = [1]\n").ids) == "x = [1]\n"


def test_the_network_that_comes_back_answers_alike(folder: Path) -> None:
    model, loaded = make_model().bfloat16().float(), Checkpoint.open(str(folder)).backbone()
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    ids = torch.tensor([[BOS, 20, 21, 300, EOS]])
    live = torch.ones_like(ids).bool()
    hidden, expected = loaded(ids, torch.ones_like(ids), live), model(ids, torch.ones_like(ids), live)
    assert hidden.states.equal(expected.states)
    at = torch.tensor([0]), torch.tensor([2])
    assert loaded.substitutions(hidden, *at).equal(model.substitutions(expected, *at))


def test_int8_weights_answer_almost_alike(folder: Path) -> None:
    large = (folder / WEIGHTS).stat().st_size
    save_file(quantize(dict(make_model().named_parameters())), folder / WEIGHTS)
    reseal(folder)
    assert (folder / WEIGHTS).stat().st_size < large
    model, loaded = make_model(), Checkpoint.open(str(folder)).backbone()
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    ids = torch.tensor([[BOS, 20, 21, 300, EOS]])
    live = torch.ones_like(ids).bool()
    hidden, expected = loaded(ids, torch.ones_like(ids), live), model(ids, torch.ones_like(ids), live)
    assert not hidden.states.equal(expected.states)
    assert torch.allclose(hidden.states, expected.states, atol=0.05)


def test_int8_weights_with_a_damaged_scale_are_refused(folder: Path) -> None:
    packed, scale = quantize(dict(make_model().named_parameters())), "embedding.weight" + SCALE
    for damaged in (
        {name: tensor for name, tensor in packed.items() if name != scale},
        packed | {scale: torch.full_like(packed[scale], torch.nan)},
        packed | {scale: packed[scale][:-1].clone()},
        packed | {"norm.weight" + SCALE: torch.ones(16)},
    ):
        save_file(damaged, folder / WEIGHTS)
        reseal(folder)
        assert WEIGHTS in refusal(Checkpoint.open(str(folder)).backbone)


def test_a_calibration_of_one_map_for_all_is_still_read(folder: Path) -> None:
    values = {"slope": 0.4656, "intercept": -1.2608, "verified": 6.5785, "suggested": 3.3154, "show": 0.5}
    change_config(folder, lambda config: config.update({"calibration": values}))
    calibration = Checkpoint.open(str(folder)).calibration()
    assert calibration == Calibration(**values)
    for operation in Operation:
        assert platt_map(calibration, operation) == (0.4656, -1.2608)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_truncated_changed_or_missing_file_is_found(folder: Path, member: str) -> None:
    data = (folder / member).read_bytes()
    for damaged in (data[:-1], data + b" ", bytes([data[0] ^ 1]) + data[1:], b""):
        (folder / member).write_bytes(damaged)
        assert "truncated or was changed" in refusal(lambda: Checkpoint.open(str(folder)))
    (folder / member).unlink()
    assert f"{member} is missing" in refusal(lambda: Checkpoint.open(str(folder)))


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("stated", [None, "sha256", {}, {"size": 3}])
def test_a_file_that_is_not_described_is_refused(folder: Path, member: str, stated: object) -> None:
    change_config(folder, lambda config: config["files"].update({member: stated}))
    assert member in refusal(lambda: Checkpoint.open(str(folder)))


@pytest.mark.parametrize("part", ["name", "format", "backbone", "thresholds", "calibration", "files"])
def test_a_config_that_lacks_a_part_is_refused(folder: Path, part: str) -> None:
    for change in (lambda config: config.update({part: [1]}), lambda config: config.pop(part)):
        change_config(folder, change)
        assert CONFIG in refusal(lambda: Checkpoint.open(str(folder)))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"3", b'"x"', b"\xff\xfe", b'{"format": 2}', b"[" * 100_000], ids=range(8)
)
def test_a_config_that_is_no_object_of_this_format_is_refused(folder: Path, content: bytes) -> None:
    (folder / CONFIG).write_bytes(content)
    assert CONFIG in refusal(lambda: Checkpoint.open(str(folder)))


def test_a_folder_without_a_config_and_no_folder_are_refused(folder: Path) -> None:
    (folder / CONFIG).unlink()
    assert "is not a checkpoint" in refusal(lambda: Checkpoint.open(str(folder)))
    (folder / CONFIG).mkdir()
    assert "cannot be read" in refusal(lambda: Checkpoint.open(str(folder)))
    for nowhere in (folder / "nowhere", folder / WEIGHTS):
        assert "no checkpoint at" in refusal(lambda nowhere=nowhere: Checkpoint.open(str(nowhere)))  # type: ignore[misc]


def test_a_flow_comes_back_and_is_the_plain_one_where_none_is_stated(folder: Path) -> None:
    checkpoint = Checkpoint.open(str(folder))
    assert (checkpoint.flow(), checkpoint.in_continuous_time) == (FlowConfig(), False)
    flow = FlowConfig("cubic", "scaled_softplus", shows_origin=0, propagation=4.0, max_weight=10.0)
    write_config(folder, "tiny", SHAPE, THRESHOLDS, CALIBRATION, flow)
    checkpoint = Checkpoint.open(str(folder))
    assert (checkpoint.flow(), checkpoint.in_continuous_time) == (flow, True)


@pytest.mark.parametrize(
    "values",
    [
        {"schedule": 3},
        {"schedule": "quartic"},
        {"parameterisation": None},
        {"propagation": "4"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_flow_that_does_not_exist_is_refused(folder: Path, values: dict[str, object]) -> None:
    change_config(folder, lambda config: config.update({"flow": values}))
    assert CONFIG in refusal(Checkpoint.open(str(folder)).flow)


def test_a_flow_that_is_no_object_is_refused(folder: Path) -> None:
    change_config(folder, lambda config: config.update({"flow": "linear"}))
    assert CONFIG in refusal(lambda: Checkpoint.open(str(folder)))


READERS: dict[str, Callable[[Checkpoint], object]] = {
    "backbone": Checkpoint.backbone_config,
    "thresholds": Checkpoint.thresholds,
    "calibration": Checkpoint.calibration,
}


@pytest.mark.parametrize("part", READERS)
@pytest.mark.parametrize("value", ["7", None, True, [1], {}])
def test_unknown_keys_and_wrong_types_are_refused(folder: Path, part: str, value: object) -> None:
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    for values in (config[part] | {"unknown": 1}, config[part] | {next(iter(config[part])): value}):
        change_config(folder, lambda config, values=values: config.update({part: values}))  # type: ignore[misc]
        checkpoint = Checkpoint.open(str(folder))
        assert CONFIG in refusal(lambda checkpoint=checkpoint: READERS[part](checkpoint))  # type: ignore[misc]


@pytest.mark.parametrize(
    "shape",
    [
        {"time_features": 3},
        {"reverse": 2},
        {"adjacency": True},
        {"time_features": 262144},
        {"width": 15},
        {"heads": 0},
        {"width": 16.5},
        {"layers": 1.0},
        {"width": -16},
        {"vocab_size": 601},
    ],
    ids=str,
)
def test_a_shape_that_no_network_has_is_refused(folder: Path, shape: dict[str, float]) -> None:
    change_config(folder, lambda config: config["backbone"].update(shape))
    refusal(Checkpoint.open(str(folder)).backbone)


class Payload:
    """Creates a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_under_the_name_of_the_weights_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    with (folder / WEIGHTS).open("wb") as file:
        pickle.dump(Payload(tmp_path / "ran"), file)
    reseal(folder)
    assert WEIGHTS in refusal(Checkpoint.open(str(folder)).backbone)
    torch.save(make_model().state_dict(), folder / WEIGHTS)
    reseal(folder)
    assert WEIGHTS in refusal(Checkpoint.open(str(folder)).backbone)
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    weights = {name: p.detach() for name, p in make_model().named_parameters()}
    name = "token_bias"
    others = [
        {n: p for n, p in weights.items() if n != name},
        weights | {"extra": torch.zeros(1)},
        weights | {name: torch.zeros(599)},
    ]
    for other in others:
        save_file(other, folder / WEIGHTS)
        reseal(folder)
        assert WEIGHTS in refusal(Checkpoint.open(str(folder)).backbone)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00", b'{"version": "1.0"}'], ids=range(4))
def test_a_tokenizer_that_cannot_be_read_is_refused(folder: Path, content: bytes) -> None:
    (folder / TOKENIZER).write_bytes(content)
    reseal(folder)
    assert TOKENIZER in refusal(Checkpoint.open(str(folder)).tokenizer)


def test_a_path_is_taken_as_it_is_and_a_name_is_looked_up_in_the_package(tmp_path: Path) -> None:
    assert locate(str(tmp_path)) == tmp_path
    assert all(locate(name).parent.name == "weights" for name in shipped())
