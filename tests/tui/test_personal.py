"""A person's own `tui.toml`, and what is said of what cannot be followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from editflow_tui.keymap import resolve
from editflow_tui.personal import Personal, personal_path, read_personal


def read(folder: Path, text: str) -> Personal:
    path = folder / "tui.toml"
    path.write_text(text, "utf-8")
    return read_personal(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_personal(tmp_path / "none.toml") == Personal(resolve({}))


def test_the_file_is_the_person_s_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert not personal_path().is_relative_to(tmp_path) and personal_path().name == "tui.toml"


def test_keys_and_what_is_kept(tmp_path: Path) -> None:
    personal = read(tmp_path, 'record-outcomes = true\n[keys]\naccept = "ctrl+y"\n')
    assert personal.keymap.keys["accept"] == ("ctrl+y",)
    assert (personal.record_outcomes, personal.problems) == (True, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[keys]\naccpet = 'y'\n", "'accpet' is not a command"),
        ("keys = 3\n", "keys must be a table"),
        ("[colours]\n", "unknown 'colours'; known are [keys] and record-outcomes"),
        ("record-outcomes = 1\n", "record-outcomes must be true or false"),
        ("[keys\n", "is not valid TOML"),
        ("[keys]\n'\x7f' = 'y'\n", "is not valid TOML"),
    ],
)
def test_what_cannot_be_followed_is_said_and_the_rest_holds(tmp_path: Path, text: str, words: str) -> None:
    personal = read(tmp_path, text)
    assert any(words in problem and "tui.toml" in problem for problem in personal.problems)
    assert all(problem.isprintable() for problem in personal.problems)
    assert personal.keymap.keys["quit"] == ("q", "ctrl+q") and not personal.record_outcomes


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in read_personal(tmp_path).problems[0]
