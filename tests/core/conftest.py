"""A shell that runs `editflow` in this process, a fast engine in place of the model, and a repository to copy."""

import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from editflow import cli
from editflow.errors import EditFlowError
from editflow.render import flow
from tests.core.adapters.making import git, make_repository
from tests.core.shell import Engine, Shell

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    points = project["entry-points"]["editflow.commands"].items()
    commands = EntryPoints(EntryPoint(name, value, "editflow.commands") for name, value in points)
    monkeypatch.setattr(cli, "entry_points", lambda group: commands.select(group=group))
    monkeypatch.setattr(flow, "PAUSE", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell(monkeypatch)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()

    def load(name: str = "default", device: str = "auto") -> Engine:
        if device not in ("auto", "cpu", "cuda"):
            raise EditFlowError(f"unknown device {device!r}: use auto, cpu, cuda")
        return fake

    monkeypatch.setattr("editflow.engine.Engine.load", load)
    return fake


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to copy: git takes its time to make one."""
    folder = tmp_path_factory.mktemp("template") / "repository"
    make_repository(folder)
    return folder


@pytest.fixture(scope="session")
def root(template: Path) -> str:
    """The root commit of `template`."""
    return git(template, "rev-list", "--max-parents=0", "HEAD")
