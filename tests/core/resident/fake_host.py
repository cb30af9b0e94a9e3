"""A host process, started as the real one is, around a fake model; its pause a pass is in the environment."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from editflow.resident.job import Load, Model
from editflow.resident.process import main
from tests.core.resident.fakes import FakeModel


def loader(_model: str) -> Load:
    def load(_device: str) -> Model:
        return FakeModel(pause=float(os.environ["FAKE_PAUSE"]))

    return load


if __name__ == "__main__":
    main(loader=loader)
