"""What the tests that drive real programs share: a missing one is a reported skip, but a failure where
EDITFLOW_E2E=required says that everything was installed."""

import os
import shutil
from pathlib import Path

import pytest


def needs(program: str | Path) -> Path:
    """Where `program` is, by name on PATH or by path; without it the test is skipped, or fails if it must not be."""
    if found := shutil.which(program):
        return Path(found)
    reason = f"{program} is not installed: run make e2e"
    if os.environ.get("EDITFLOW_E2E") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
