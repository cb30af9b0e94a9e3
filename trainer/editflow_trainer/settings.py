"""Frozen dataclasses from plain tables (TOML): every key is known, every value has its field's type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from editflow.errors import EditFlowError

Kind = TypeVar("Kind")


def build(kind: type[Kind], table: Mapping[str, Any], place: str = "") -> Kind:
    """An instance of a dataclass; EditFlowError that names the key which is unknown, unfit, or missing.

    `place` is the path of the table in its file, for messages. Fields may be str, StrEnum, int, float, bool, Path,
    other dataclasses, tuples of one of these, or None beside one.
    """
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise EditFlowError(f"unknown key {place}{key}: known are {', '.join(known)}")
    values = {key: _value(hints[key], value, f"{place}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise EditFlowError(f"{place.rstrip('.') or 'the file'}: {error}") from error
    except TypeError as error:  # a field without default
        raise EditFlowError(f"{place.rstrip('.') or 'the file'} lacks a key: {error}") from error


def _value(hint: Any, value: Any, place: str) -> Any:
    """A value as its field wants it."""
    if get_origin(hint) in (Union, UnionType):  # only with None, which TOML cannot say
        hint = next(one for one in get_args(hint) if one is not type(None))
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return build(hint, value, f"{place}.")
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_value(get_args(hint)[0], one, place) for one in value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str):
        return _member(hint, value, place)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise EditFlowError(f"{place} must be {_name(hint)}, not {value!r}")
    return value


def _member(hint: type[StrEnum], value: str, place: str) -> StrEnum:
    if value not in list(hint):
        raise EditFlowError(f"{place} must be one of {', '.join(hint)}, not {value!r}")
    return hint(value)


def _name(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"a list of {get_args(hint)[0].__name__}"
    return "a table" if is_dataclass(hint) else str(getattr(hint, "__name__", hint))
