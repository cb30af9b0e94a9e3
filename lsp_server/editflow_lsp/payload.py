"""Messages to JSON and back: camelCase members, and every ill-typed one named in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_origin

from cattrs import Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.v import format_exception
from lsprotocol import converters
from pygls.exceptions import JsonRpcInvalidParams

T = TypeVar("T")
_SNAKE = re.compile(r"_(\w)")


def payload(message: object) -> dict[str, Any]:
    """JSON of one of our messages; a member that is None by default is left out while it is None."""
    written: dict[str, Any] = _converter().unstructure(message)
    return written


def read(kind: type[T], value: object, what: str) -> T:
    """One of our messages from JSON; unknown members are ignored, InvalidParams says what is wrong with others."""
    try:
        return _converter().structure(value, kind)
    except Exception as error:  # cattrs raises whatever a value makes it stumble over
        said = "; ".join(transform_error(error, what, _worded))
        raise JsonRpcInvalidParams(_SNAKE.sub(lambda found: found[1].upper(), said)) from error


@cache
def _converter() -> Converter:
    converter = converters.get_converter()
    for primitive in (str, int, bool):
        converter.register_structure_hook(primitive, _strict)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _reader(kind, converter))
    converter.register_structure_hook_factory(
        _is_tuple,
        lambda kind: _only(list, "a list", homogenous_tuple_structure_factory(kind, converter)),
    )
    converter.register_unstructure_hook_factory(is_dataclass, lambda kind: _writer(kind, converter))
    return converter


def _is_tuple(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple


def _reader(kind: Any, converter: Converter) -> Any:
    renamed: dict[str, Any] = {f.name: override(rename=_camel(f.name)) for f in fields(kind)}
    return _only(dict, "an object", make_dict_structure_fn(kind, converter, **renamed))


def _only(json: type, named: str, structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The hook, for values of that type alone: cattrs takes whatever can be iterated."""

    def structured(value: object, kind: Any) -> Any:
        if not isinstance(value, json):
            raise TypeError(f"expected {named}")
        return structure(value, kind)

    return structured


def _writer(kind: Any, converter: Converter) -> Any:
    members: dict[str, Any] = {
        f.name: override(rename=_camel(f.name), omit_if_default=f.default is None) for f in fields(kind)
    }
    return make_dict_unstructure_fn(kind, converter, **members)


def _worded(error: BaseException, kind: type | None) -> str:
    """What is wrong with a value, without quoting more of it than an enumeration does."""
    return str(error) if isinstance(error, TypeError | ValueError) else format_exception(error, kind)


def _strict(value: object, kind: type[T]) -> T:
    if issubclass(kind, Enum):  # of strings or integers
        return kind(value)
    if type(value) is not kind:  # a bool is an int to isinstance
        raise TypeError(f"expected {kind.__name__}")
    return value


def _number(value: object, _: type[float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return float(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
