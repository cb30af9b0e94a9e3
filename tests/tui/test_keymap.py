"""Keys by default, keys that were asked for, and what is said of those that cannot be followed."""

from __future__ import annotations

from collections import Counter

import pytest

from editflow_tui.commands import BY_NAME, COMMANDS, When
from editflow_tui.keymap import resolve


def test_names_are_unique_and_every_command_has_a_key() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    assert all(command.keys for command in COMMANDS)


def test_no_two_commands_share_a_key_at_one_time() -> None:
    counts = Counter((command.when, key) for command in COMMANDS for key in command.keys)
    assert [key for key, count in counts.items() if count > 1] == []


def test_without_wishes_the_defaults_hold() -> None:
    keymap = resolve({})
    assert keymap.problems == ()
    assert all(keymap.keys[command.name] == command.keys for command in COMMANDS)


def test_keys_are_replaced_and_taken_from_whoever_had_them() -> None:
    keymap = resolve({"accept": "j", "next": ["down", "ctrl+n"], "undo": ",", "back": "b"})
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
    ("asked", "words"),
    [
        ({"accpet": "y"}, "'accpet' is not a command"),
        ({"accept": 5}, "accept must be a key or a list of keys"),
        ({"accept": ["y", 5]}, "accept must be a key or a list of keys"),
        ({"accept": "a b"}, "accept must be a key or a list of keys"),
        ({"accept": "z", "reject": "z"}, "z is asked for by accept and reject; accept has it"),
    ],
)
def test_what_cannot_be_followed_is_said_and_the_rest_holds(asked: dict[str, object], words: str) -> None:
    keymap = resolve(asked)
    assert words in keymap.problems
    assert keymap.keys["quit"] == ("q", "ctrl+q")


def test_problems_have_no_control_characters() -> None:
    keymap = resolve({"\x1b[31m": "y"})
    assert all(problem.isprintable() for problem in keymap.problems) and keymap.problems


def test_bindings_call_their_command_and_survive_a_comma() -> None:
    bindings = resolve({}).bindings()
    assert all(binding.action.startswith("app.command('") for binding in bindings)
    assert "comma" in {binding.key for binding in bindings} and "," not in {b.key for b in bindings}
    assert {binding.priority for binding in bindings if "select-up" in binding.action} == {True}
    assert BY_NAME["select-up"].when is When.SELECTING
