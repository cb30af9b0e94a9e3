"""Which keys ask for which commands: the defaults, and over them what a person's own `tui.toml` says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding

from editflow_tui.commands import BY_NAME, COMMANDS, Command, When

_KEY = re.compile(r"(?:(?:ctrl|alt|shift|super|meta|hyper)\+)*(?:[^\s+]|[a-z][a-z0-9_]+|\+)")


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys of every command, and what could not be followed."""

    keys: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()
    """One readable line each."""

    def bindings(self) -> list[Binding]:
        """For a screen: each calls `app.command` with the command's name."""
        return [_binding(command, key) for command in COMMANDS for key in self.keys[command.name]]

    def shown(self, name: str) -> str:
        """The keys of a command as a person reads them."""
        return " ".join(self.keys[name])


def resolve(asked: Mapping[str, object]) -> Keymap:
    """The defaults with the keys of some commands replaced; a key asked for is taken from whoever has it."""
    problems = [f"{name!a} is not a command" for name in asked if name not in BY_NAME]
    chosen: dict[str, tuple[str, ...]] = {}
    owners: dict[tuple[When, str], str] = {}
    for name in (name for name in asked if name in BY_NAME):
        keys = _keys(asked[name])
        if keys is None:
            problems.append(f"{name} must be a key or a list of keys")
            continue
        chosen[name] = tuple(_claimed(name, keys, owners, problems))
    for command in COMMANDS:
        if command.name not in chosen:
            left = [key for key in command.keys if (command.when, _canonical(key)) not in owners]
            chosen[command.name] = tuple(left)
            if not left:
                problems.append(f"{command.name} has no key left: give it one")
    return Keymap(chosen, tuple(problems))


def _claimed(
    name: str, keys: list[str], owners: dict[tuple[When, str], str], problems: list[str]
) -> Iterator[str]:
    """The keys that nobody else asked for."""
    when = BY_NAME[name].when
    for key in keys:
        owner = owners.setdefault((when, _canonical(key)), name)
        if owner == name:
            yield key
        else:
            problems.append(f"{ascii(key)[1:-1]} is asked for by {owner} and {name}; {owner} has it")


def _keys(value: object) -> list[str] | None:
    """Names of keys; None where it is something else."""
    keys = [key for key in (value if isinstance(value, list) else [value]) if isinstance(key, str)]
    asked = len(value) if isinstance(value, list) else 1
    return keys if len(keys) == asked and all(map(_KEY.fullmatch, keys)) else None


def _canonical(key: str) -> str:
    """The one name of a key: "/" is "slash"; a comma would separate keys."""
    (binding,) = Binding.make_bindings([Binding(key.replace(",", "comma"), "")])
    return binding.key


def _binding(command: Command, key: str) -> Binding:
    action = f"app.command({command.name!r})"
    return Binding(
        _canonical(key),
        action,
        command.label or command.words,
        show=bool(command.label),
        tooltip=command.words,
        priority=command.when is When.SELECTING,
    )
