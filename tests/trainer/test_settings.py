"""Tables into dataclasses: every key is known and of its type, or the message names it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.settings import build


@dataclass(frozen=True, slots=True)
class Inner:
    share: float = 0.5
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("count must be at least 1")


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    other: Inner | None = None
    folder: Path = Path(".")
    parts: tuple[str, ...] = ()
    on: bool = False


def test_a_table_becomes_what_it_describes() -> None:
    table = {
        "name": "a",
        "inner": {"share": 1},
        "other": {},
        "folder": "b/c",
        "parts": ["x", "y"],
        "on": True,
    }
    expected = Outer("a", Inner(1.0), Inner(), Path("b/c"), ("x", "y"), True)
    assert build(Outer, table) == expected
    assert isinstance(build(Outer, table).inner.share, float)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "a", "innr": {}}, "unknown key innr"),
        ({"name": "a", "inner": {"shar": 1.0}}, "unknown key inner.shar: known are share, count"),
        ({"name": 1}, "name must be str, not 1"),
        ({"name": "a", "inner": {"count": 1.5}}, "inner.count must be int"),
        ({"name": "a", "inner": {"count": True}}, "inner.count must be int"),
        ({"name": "a", "inner": 3}, "inner must be a table"),
        ({"name": "a", "parts": "x"}, "parts must be a list of str"),
        ({"name": "a", "parts": [1]}, "parts must be str"),
        ({"name": "a", "on": 1}, "on must be bool"),
        ({"name": "a", "inner": {"count": 0}}, "inner: count must be at least 1"),
        ({}, "name"),
    ],
)
def test_a_table_that_does_not_fit_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(EditFlowError, match=message):
        build(Outer, table)
