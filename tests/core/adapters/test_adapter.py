"""Adapters on disk: what is written comes back, and whatever is wrong with a folder is said in one line."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.adapters.adapter import (
    CARD,
    CONFIG,
    MAX_CONFIG,
    MEMBERS,
    WEIGHTS,
    Adapter,
    AdapterError,
    plain_name,
)
from editflow.checkpoint import Checkpoint, describe, sha256
from tests.core.adapters.making import CALIBRATION, ROOT, THRESHOLDS, make_adapter


@pytest.fixture
def folder(tmp_path: Path, base: Checkpoint) -> Path:
    return make_adapter(tmp_path / "adapter", base).folder


def change(folder: Path, act: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    act(config)
    (folder / CONFIG).write_text(json.dumps(config), "utf-8")


def reseal(folder: Path) -> None:
    """State the members as they are, so that nothing but their content can be wrong."""
    change(folder, lambda config: config.update(files=describe(folder, MEMBERS)))


def refusal(act: Callable[[], object]) -> str:
    """The one line that an AdapterError says."""
    with pytest.raises(AdapterError) as caught:
        act()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_is_written_comes_back(tmp_path: Path, base: Checkpoint) -> None:
    tensors = {
        "operation_head.bias": torch.tensor([0.5, 0.25, -3.0]),
        "blocks.0.qkv.weight": torch.ones(96, 32),
    }
    facts = {"evaluation": {"held_out": {"cases": 3}}}
    written = make_adapter(tmp_path / "new", base, tensors=tensors, facts=facts)
    adapter = Adapter.read(tmp_path / "new")
    adapter.verify()
    adapter.check_base(base)
    assert adapter == written
    assert adapter.fingerprint == sha256(adapter.folder / WEIGHTS)
    assert adapter.name == f"poetry@{adapter.fingerprint[:8]}"
    assert (adapter.base, adapter.base_name, adapter.repository) == (base.fingerprint, base.name, ROOT)
    assert (adapter.thresholds(), adapter.calibration(), adapter.facts) == (THRESHOLDS, CALIBRATION, facts)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", adapter.created)
    read = adapter.tensors()
    assert {name: tensor.dtype for name, tensor in read.items()} == dict.fromkeys(tensors, torch.bfloat16)
    assert all(read[name].float().equal(tensor) for name, tensor in tensors.items())


def test_tensors_that_share_memory_are_written_each(tmp_path: Path, base: Checkpoint) -> None:
    whole = torch.arange(6.0).bfloat16()
    adapter = make_adapter(tmp_path / "new", base, tensors={"a": whole[:3], "b": whole[1:]})
    assert adapter.tensors()["b"].tolist() == [1, 2, 3, 4, 5]


@given(st.text(max_size=80))
def test_any_name_becomes_one_that_is_safe(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", plain_name(name))
    assert plain_name(plain_name(name)) == plain_name(name)


def test_another_base_is_refused_by_name(folder: Path, base: Checkpoint) -> None:
    other = Checkpoint(base.folder, base.config | {"files": {"model.safetensors": {"sha256": "0f" * 32}}})
    adapter = Adapter.read(folder)
    said = refusal(lambda: adapter.check_base(other))
    assert said == (
        f"{adapter.name} was trained for {base.name}, this is wild@0f0f0f0f: run editflow train again"
    )


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "folder"])
def test_a_damaged_member_is_refused(folder: Path, member: str, damage: str) -> None:
    path = folder / member
    data = path.read_bytes()
    path.unlink()
    if damage == "truncate":
        path.write_bytes(data[:-1])
    elif damage == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "folder":
        path.mkdir()
    adapter = Adapter.read(folder)
    assert str(path) in refusal(adapter.verify)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"3",
        b"\xff\xfe",
        b'{"format": 2}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": NaN}',
    ],
    ids=range(9),
)
def test_a_config_that_is_no_object_of_this_format_is_refused(folder: Path, content: bytes) -> None:
    (folder / CONFIG).write_bytes(content)
    assert CONFIG in refusal(lambda: Adapter.read(folder))


def test_a_config_of_any_size_is_not_read(folder: Path) -> None:
    change(folder, lambda config: config.update(facts={"a": "x" * MAX_CONFIG}))
    assert "larger than" in refusal(lambda: Adapter.read(folder))


PARTS = ("name", "repository", "created", "base", "thresholds", "calibration", "facts", "files")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [None, 3, True, [1], "", "../x", "a\nb", "x" * 65])
def test_a_config_with_an_unfit_part_is_refused(folder: Path, part: str, value: object) -> None:
    change(folder, lambda config: config.update({part: value}))
    assert f"{CONFIG} lacks a usable {part}" in refusal(lambda: Adapter.read(folder))
    change(folder, lambda config: config.pop(part))
    assert f"{CONFIG} lacks a usable {part}" in refusal(lambda: Adapter.read(folder))


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("base", "sha256", "0F" * 32),
        ("base", "name", "de\x1bfault"),
        ("files", WEIGHTS, {"size": 3}),
        ("files", CARD, {"sha256": "../../" * 10}),
    ],
)
def test_a_config_with_an_unfit_detail_is_refused(folder: Path, part: str, key: str, value: object) -> None:
    change(folder, lambda config: config[part].update({key: value}))
    assert f"{CONFIG} lacks a usable {part}" in refusal(lambda: Adapter.read(folder))


@pytest.mark.parametrize("part", ["thresholds", "calibration"])
@pytest.mark.parametrize("value", ["7", None, True, [1], {}])
def test_settings_of_unknown_names_or_wrong_types_are_refused(folder: Path, part: str, value: object) -> None:
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    for values in (config[part] | {"unknown": 1}, config[part] | {next(iter(config[part])): value}):
        change(folder, lambda config, values=values: config.update({part: values}))  # type: ignore[misc]
        assert CONFIG in refusal(getattr(Adapter.read(folder), part))


def test_a_setting_beyond_all_numbers_is_refused(folder: Path) -> None:
    text = (folder / CONFIG).read_text("utf-8").replace('"show": 0.4', '"show": 1e999')
    (folder / CONFIG).write_text(text, "utf-8")
    assert "Calibration: show" in refusal(Adapter.read(folder).calibration)


def test_no_folder_and_one_without_a_config_are_refused(folder: Path) -> None:
    (folder / CONFIG).unlink()
    for nowhere in (folder, folder / "none", folder / CARD):
        assert CONFIG in refusal(lambda nowhere=nowhere: Adapter.read(nowhere))  # type: ignore[misc]
    (folder / CONFIG).mkdir()
    assert "cannot be read" in refusal(lambda: Adapter.read(folder))


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
    assert WEIGHTS in refusal(Adapter.read(folder).tensors)
    torch.save({"operation_head.bias": torch.zeros(3)}, folder / WEIGHTS)
    reseal(folder)
    adapter = Adapter.read(folder)
    adapter.verify()
    assert WEIGHTS in refusal(adapter.tensors)
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_gone_meanwhile_are_said(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert WEIGHTS in refusal(Adapter.read(folder).tensors)
