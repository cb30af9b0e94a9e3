"""The folder of a training: private, for one process at a time, and gone on with only if nothing has changed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from editflow.adapters.store import training_folder
from editflow.checkpoint import Checkpoint
from editflow.errors import EditFlowError
from editflow_trainer.personal.options import Method, Options, Target
from editflow_trainer.personal.workspace import Workspace, claimed, interrupted_head, trained_head

ROOT = "0" * 40
TARGET = Target(Path("shop"), "ada/shop", ROOT, "1" * 40)


@dataclass(frozen=True)
class Base:
    """What a workspace knows of a checkpoint."""

    fingerprint: str = "b" * 64


def base(fingerprint: str = "b" * 64) -> Checkpoint:
    return cast(Checkpoint, Base(fingerprint))


@pytest.fixture
def space() -> Iterator[Workspace]:
    with claimed(ROOT) as claim:
        yield claim


def fill(space: Workspace) -> None:
    for folder in (space.mined, space.shards, space.run, space.staged):
        folder.mkdir()
    space.report.write_text("report")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_private_even_if_they_were_not() -> None:
    folder = training_folder(ROOT)
    folder.mkdir(parents=True, mode=0o755)
    with claimed(ROOT) as space:
        assert space.folder == folder
        assert (mode(folder), mode(folder.parent), mode(folder / ".lock")) == (0o700, 0o700, 0o600)


def test_a_training_begins_with_nothing_but_what_was_mined(space: Workspace) -> None:
    fill(space)
    space.keep("before", {"scores": 1})
    assert space.begin(TARGET, base(), Options(), resume=False) is False
    assert space.mined.exists() and space.report.exists()
    assert not any(path.exists() for path in (space.shards, space.run, space.staged))
    assert space.read("before") is None


def test_an_interrupted_one_goes_on_with_all_it_made(space: Workspace) -> None:
    space.begin(TARGET, base(), Options(paths=("src",)), resume=False)
    fill(space)
    space.keep("before", {"scores": [1, 0.5]})
    assert interrupted_head(ROOT) == TARGET.head
    assert space.begin(TARGET, base(), Options(paths=("src",)), resume=True) is True
    assert space.read("before") == {"scores": [1, 0.5]} and space.shards.exists()


CHANGES: list[tuple[str, Callable[[Options], tuple[Target, Checkpoint, Options]]]] = [
    ("its commits", lambda options: (replace(TARGET, head="2" * 40), base(), options)),
    ("the base checkpoint", lambda options: (TARGET, base("c" * 64), options)),
    (
        "its commits and the base checkpoint and the options",
        lambda options: (replace(TARGET, head="2" * 40), base(""), replace(options, seed=1)),
    ),
]
OTHERS = {
    "model": "x",
    "since": "2020",
    "paths": ("src",),
    "author": "a",
    "max_commits": 1,
    "budget": 1.0,
    "device": "cpu",
    "threads": 9,
    "method": Method.lora,
    "rank": 1,
    "outcomes": False,
    "seed": 1,
}


@pytest.mark.parametrize(("what", "change"), CHANGES)
def test_what_changed_since_is_named(
    what: str, change: Callable[[Options], tuple[Target, Checkpoint, Options]], space: Workspace
) -> None:
    space.begin(TARGET, base(), Options(), resume=False)
    with pytest.raises(EditFlowError, match=f"^{what} changed since it was interrupted: leave --resume out"):
        space.begin(*change(Options()), resume=True)
    assert space.begin(TARGET, base(), Options(), resume=True)  # it is still there


@pytest.mark.parametrize("name", Options.__dataclass_fields__)
def test_every_option_counts(name: str, space: Workspace) -> None:
    space.begin(TARGET, base(), Options(), resume=False)
    with pytest.raises(EditFlowError, match="the options changed"):
        space.begin(TARGET, base(), replace(Options(), **{name: OTHERS[name]}), resume=True)  # type: ignore[arg-type]


def test_there_must_be_something_to_go_on_with(space: Workspace) -> None:
    assert interrupted_head(ROOT) == ""
    with pytest.raises(EditFlowError, match="no training of ada/shop to resume"):
        space.begin(TARGET, base(), Options(), resume=True)


def test_at_its_end_only_what_was_mined_and_the_report_stay(space: Workspace) -> None:
    space.begin(TARGET, base(), Options(), resume=False)
    fill(space)
    assert trained_head(ROOT) == ""
    space.end(TARGET.head)
    assert trained_head(ROOT) == TARGET.head and interrupted_head(ROOT) == ""
    left = {path.name for path in space.folder.iterdir()}
    assert left == {".lock", "mined", "report.html", "trained"}
    space.begin(TARGET, base(), Options(), resume=False)
    assert trained_head(ROOT) == TARGET.head  # until the next one has ended


@pytest.mark.parametrize("content", ["{", "[]", "7", '"x"', b"\xff", ""])
def test_a_damaged_state_stops_only_who_would_go_on(content: str | bytes, space: Workspace) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (space.folder / "training.json").write_bytes(data)
    assert interrupted_head(ROOT) == ""
    with pytest.raises(EditFlowError, match=r"training\.json is damaged: leave --resume out"):
        space.begin(TARGET, base(), Options(), resume=True)
    assert space.begin(TARGET, base(), Options(), resume=False) is False


def test_what_was_kept_and_is_damaged_is_said(space: Workspace) -> None:
    space.keep("before", 1)
    (space.folder / "before.json").write_text("{")
    with pytest.raises(EditFlowError, match=r"before\.json is damaged: leave --resume out"):
        space.read("before")


def test_what_is_kept_appears_whole(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    space.keep("before", 1)

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(EditFlowError, match=r"cannot be written \(No space left on device\)"):
        space.keep("before", 2)
    assert space.read("before") == 1


def test_a_second_training_in_this_process_is_refused(space: Workspace) -> None:
    with pytest.raises(EditFlowError, match="another training of this repository runs"), claimed(ROOT):
        pass
    with claimed("1" * 40) as other:
        assert other.folder != space.folder


_HOLD = """
import sys
from editflow_trainer.personal.workspace import claimed

with claimed(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_holds_it_until_it_ends_however_it_ends() -> None:
    line = [sys.executable, "-c", _HOLD, ROOT]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        with pytest.raises(EditFlowError, match="another training of this repository runs"), claimed(ROOT):
            pass
        process.kill()
    with claimed(ROOT):
        pass


def test_a_place_that_cannot_be_written_is_said(home: Path) -> None:
    home.mkdir()
    (home / "xdg_cache_home").write_text("in the way")
    with pytest.raises(EditFlowError, match="cannot be written"), claimed(ROOT):
        pass


def test_what_is_no_text_counts_as_never_trained() -> None:
    with claimed(ROOT) as space:
        (space.folder / "trained").write_bytes(b"\xff")
    assert trained_head(ROOT) == ""
