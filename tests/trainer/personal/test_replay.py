"""Replayed code: Python's own, the same for the same seed, and none where there is none."""

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from editflow_trainer.personal import replay
from editflow_trainer.personal.replay import replayed


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library of its own; what is known of the real one is forgotten before and after."""
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    replay._library.cache_clear()
    yield tmp_path
    replay._library.cache_clear()


def test_functions_of_the_standard_library_are_drawn_by_the_seed() -> None:
    found = replayed(50, seed=1)
    assert len({one.text for one in found}) > 40
    assert found == replayed(50, seed=1) != replayed(50, seed=2)
    root = Path(sysconfig.get_path("stdlib"))
    for one in found:
        assert one.text in (root / one.path).read_text("utf-8")
        ast.parse(one.header + one.text)


def test_installed_packages_and_tests_are_no_library(library: Path) -> None:
    for name in ("json/decoder.py", "site-packages/json/tool.py", "json/test/test_decoder.py"):
        file = library / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"def of(place):\n    kept = place + 1\n    return kept, {name!r}\n", "utf-8")
    assert [one.path for one in replayed(9, seed=0)] == ["json/decoder.py"]


def test_where_there_is_no_library_nothing_is_replayed(library: Path) -> None:
    assert replayed(9, seed=0) == []
    (library / "odd.py").write_bytes(b"def f():\n    return '\xff\xfe'\n")
    assert replayed(9, seed=0) == []
