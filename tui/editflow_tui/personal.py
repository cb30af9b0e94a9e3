"""A person's own `tui.toml`: their keys, and whether what they decide is kept to learn from.

    record-outcomes = true

    [keys]
    accept = "ctrl+y"
    next = ["j", "down"]

The file lies in the user's configuration folder. A reviewed repository has no say in any of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from editflow.configuration import is_flag
from editflow.document import shown
from editflow_tui.keymap import Keymap, resolve

RECORD = "record-outcomes"


@dataclass(frozen=True, slots=True)
class Personal:
    """What a person has chosen, and what could not be followed."""

    keymap: Keymap
    record_outcomes: bool = False
    problems: tuple[str, ...] = ()
    """One readable line each."""


def personal_path() -> Path:
    """Where a person keeps it."""
    return user_config_path("editflow") / "tui.toml"


def read_personal(path: Path) -> Personal:
    """What the file says; never raises: what cannot be followed is a problem and the default stays."""
    content: dict[str, Any] = {}
    wrong = ""
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        pass  # nothing was chosen
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    except ValueError as error:  # of TOML or of UTF-8
        wrong = f"is not valid TOML: {ascii(str(error))[1:-1]}"
    personal = _personal(content)
    problems = (wrong, *personal.problems) if wrong else personal.problems
    return replace(personal, problems=tuple(f"{shown(path)}: {problem}" for problem in problems))


def _personal(content: dict[str, Any]) -> Personal:
    keys, records = content.get("keys", {}), content.get(RECORD, False)
    keymap = resolve(keys if isinstance(keys, dict) else {})
    return Personal(keymap, records is True, (*_problems(content, keys, records), *keymap.problems))


def _problems(content: dict[str, Any], keys: object, records: object) -> Iterator[str]:
    for name in content:
        if name not in ("keys", RECORD):
            yield f"unknown {name!a}; known are [keys] and {RECORD}"
    if not isinstance(keys, dict):
        yield "keys must be a table: write [keys]"
    if not is_flag(records):
        yield f"{RECORD} must be true or false"
