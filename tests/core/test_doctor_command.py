"""`editflow doctor` and `editflow models` as a shell sees them."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from editflow.commands import models as models_module
from editflow.commands.models import CheckpointReport
from editflow.proposal import Proposal
from editflow.step import Step
from tests.core.shell import Engine, Shell


class TestDoctor:
    @pytest.fixture(autouse=True)
    def model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = CheckpointReport("fake@01234567", "/weights", 12_000_000, 24_000_000, "0123")
        monkeypatch.setattr(CheckpointReport, "of", lambda name: report)

    @pytest.mark.usefixtures("engine")
    def test_tells_what_there_is(self, shell: Shell) -> None:
        assert shell("doctor") == 0
        facts = dict(line.split(maxsplit=1) for line in shell.out.splitlines())
        assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
        assert {
            "editflow",
            "torch",
            "tokenizers",
            "platform",
            "cpu_threads",
            "cpu_bfloat16",
            "cuda",
        } < facts.keys()
        assert "fake@01234567  12,000,000 parameters  24.0 MB  sha256 0123  ok" in facts["model"]
        assert facts["self-test"].startswith("passed: proposed line 1: +: in ")

    @pytest.mark.usefixtures("engine")
    def test_as_json(self, shell: Shell) -> None:
        assert shell("doctor", "--json") == 0
        found = json.loads(shell.out)
        assert found["model"]["parameters"] == 12_000_000
        assert found["self_test"]["passed"] is True

    def test_model_that_fixes_nothing_fails(
        self, shell: Shell, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            engine,
            "fix_last",
            lambda request: Step(1, 8, Proposal(request.document, ()), done=True),
        )
        assert shell("doctor") == 1
        assert "failed: proposed nothing" in shell.out

    @pytest.mark.usefixtures("engine")
    def test_device_that_is_not_there_fails(self, shell: Shell) -> None:
        assert shell("doctor", "--device", "tpu") == 1
        assert "failed: unknown device 'tpu'" in shell.out


class TestModels:
    @pytest.fixture(autouse=True)
    def shipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("editflow.checkpoint.shipped", lambda: [])

    def test_good_one(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        checkpoint = SimpleNamespace(name="small@0123", fingerprint="0123" * 16)
        monkeypatch.setattr("editflow.checkpoint.Checkpoint.open", lambda name: checkpoint)
        monkeypatch.setattr(models_module, "count_parameters", lambda folder: 1234)
        (tmp_path / "model.safetensors").write_bytes(b"x" * 1_000_000)
        assert shell("models", tmp_path) == 0
        assert shell.out == f"small@0123  1,234 parameters  1.0 MB  sha256 {'0123' * 16}  ok\n"
        assert shell("models", "--json", tmp_path) == 0
        assert json.loads(shell.out) == {
            "name": "small@0123",
            "folder": str(tmp_path),
            "parameters": 1234,
            "size": 1_000_000,
            "sha256": "0123" * 16,
            "error": None,
        }

    def test_damaged_one(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("models", tmp_path, tmp_path / "none") == 2
        first, second = shell.out.splitlines()
        assert "  damaged: " in first and "is missing" in first
        assert "  damaged: no checkpoint at " in second
        assert shell("models", "--json", tmp_path) == 2
        assert "is missing" in json.loads(shell.out)["error"]

    def test_none(self, shell: Shell) -> None:
        assert shell("models") == 0
        assert shell.out == ""
        assert shell.err.startswith("no checkpoint is shipped")
