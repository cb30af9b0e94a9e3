"""Keys by default, a person's own keys, and what is said of those that cannot be followed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from editflow_tui.commands import BY_NAME, COMMANDS, When
from editflow_tui.keymap import Keymap, keymap_path, read_keymap, resolve


def read(folder: Path, text: str) -> Keymap:
    path = folder / "tui.toml"
    path.write_text(text, "utf-8")
    return read_keymap(path)


def test_names_are_unique_and_every_command_has_a_key() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    assert all(command.keys for command in COMMANDS)


def test_no_two_commands_share_a_key_at_one_time() -> None:
    counts = Counter((command.when, key) for command in COMMANDS for key in command.keys)
    assert [key for key, count in counts.items() if count > 1] == []


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    keymap = read_keymap(tmp_path / "none.toml")
    assert keymap.problems == ()
    assert all(keymap.keys[command.name] == command.keys for command in COMMANDS)


def test_the_file_is_the_person_s_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert not keymap_path().is_relative_to(tmp_path) and keymap_path().name == "tui.toml"


def test_keys_are_replaced_and_taken_from_whoever_had_them(tmp_path: Path) -> None:
    keymap = read(tmp_path, '[keys]\naccept = "j"\nnext = ["down", "ctrl+n"]\nundo = ","\nback = "b"\n')
    assert keymap.problems == ()
    assert keymap.keys["accept"] == ("j",)
    assert keymap.keys["next"] == ("down", "ctrl+n")
    assert "y" not in {key for keys in keymap.keys.values() for key in keys}


def test_a_command_that_loses_one_of_its_keys_keeps_the_other() -> None:
    keymap = resolve({"accept": "j"})
    assert keymap.keys["next"] == ("]",) and keymap.problems == ()


def test_a_command_without_a_key_is_said() -> None:
    assert resolve({"accept": "n"}).problems == ("reject has no key left: give it one",)


@pytest.mark.parametrize("key", ["/", "slash"])
def test_a_key_is_the_same_by_either_name(key: str) -> None:
    keymap = resolve({"accept": key})
    assert [binding.key for binding in keymap.bindings()].count("slash") == 1
    assert keymap.keys["search"] == ()


def test_a_comma_may_be_part_of_a_key() -> None:
    assert "ctrl+comma" in {binding.key for binding in resolve({"accept": "ctrl+,"}).bindings()}


def test_a_command_may_be_switched_off() -> None:
    keymap = resolve({"write-all": []})
    assert keymap.keys["write-all"] == () and keymap.problems == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[keys]\naccpet = 'y'\n", "'accpet' is not a command"),
        ("[keys]\naccept = 5\n", "accept must be a key or a list of keys"),
        ("[keys]\naccept = ['y', 5]\n", "accept must be a key or a list of keys"),
        ("[keys]\naccept = 'a b'\n", "accept must be a key or a list of keys"),
        ("[keys]\naccept = 'z'\nreject = 'z'\n", "z is asked for by accept and reject; accept has it"),
        ("keys = 3\n", "keys must be a table"),
        ("[colours]\n", "unknown 'colours'"),
        ("[keys\n", "is not valid TOML"),
    ],
)
def test_what_cannot_be_followed_is_said_and_the_rest_holds(tmp_path: Path, text: str, words: str) -> None:
    keymap = read(tmp_path, text)
    assert any(words in problem and "tui.toml" in problem for problem in keymap.problems)
    assert keymap.keys["quit"] == ("q", "ctrl+q")


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in read_keymap(tmp_path).problems[0]


def test_problems_have_no_control_characters(tmp_path: Path) -> None:
    keymap = read(tmp_path, '[keys]\n"\\u001b[31m" = "y"\n')
    assert all(problem.isprintable() for problem in keymap.problems) and keymap.problems


def test_bindings_call_their_command_and_survive_a_comma() -> None:
    bindings = resolve({}).bindings()
    assert all(binding.action.startswith("app.command('") for binding in bindings)
    assert "comma" in {binding.key for binding in bindings} and "," not in {b.key for b in bindings}
    assert {binding.priority for binding in bindings if "select-up" in binding.action} == {True}
    assert BY_NAME["select-up"].when is When.SELECTING
