"""The log: one line a record, what an interrupted run wrote past its state is dropped, other sinks on request."""

import sys
from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.training.logs import LOG, json_lines, read_log, sinks


def test_lines_past_the_resumed_step_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / LOG
    with json_lines(path, 0) as log:
        for step in (1, 2, 3):
            log({"step": step, "loss": 1.0})
    with json_lines(path, 2) as log:
        log({"step": 3, "loss": 2.0})
    assert [(line["step"], line["loss"]) for line in read_log(path)] == [(1, 1.0), (2, 1.0), (3, 2.0)]


def test_tensorboard_gets_every_number(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with sinks(tmp_path, 0, board=True) as log:
        log({"step": 5, "loss": 1.5, "rate": 0.25})
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert set(found.Tags()["scalars"]) == {"loss", "rate"}
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(5, 1.5)]


@pytest.mark.parametrize(
    ("module", "asked"), [("tensorboard", {"board": True}), ("wandb", {"project": "editflow"})]
)
def test_a_missing_sink_says_what_to_install(
    module: str, asked: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (module, f"torch.utils.{module}"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EditFlowError, match=f"pip install {module}"), sinks(tmp_path, 0, **asked):  # type: ignore[arg-type]
        pass
