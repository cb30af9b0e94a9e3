"""Capabilities are read from whatever a client says, and what it does not say it cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import converters
from lsprotocol.types import InitializeParams

from editflow_lsp.client import MAX_HZ, ClientFeatures

CONVERTER = converters.get_converter()
VSCODE: dict[str, Any] = {
    "window": {"workDoneProgress": True},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {"groupsOnLabel": True}},
    },
    "textDocument": {
        "codeAction": {
            "dataSupport": True,
            "disabledSupport": True,
            "honorsChangeAnnotations": True,
            "resolveSupport": {"properties": ["edit", "command"]},
            "tagSupport": {"valueSet": [1]},
        }
    },
    "experimental": {"editflow": {"version": 1, "stepStream": True, "status": True, "maxHz": 12}},
}


def features(capabilities: dict[str, Any], name: str | None = None) -> ClientFeatures:
    """What is read from an `initialize` request as it comes over the wire."""
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": capabilities}
    if name is not None:
        params["clientInfo"] = {"name": name}
    return ClientFeatures.of(CONVERTER.structure(params, InitializeParams))


def without(*path: str) -> dict[str, Any]:
    """VSCODE less one capability."""

    def copied(value: Any, rest: tuple[str, ...]) -> Any:
        if not rest:
            return value
        head, *tail = rest
        if not tail:
            return {key: inner for key, inner in value.items() if key != head}
        return {**value, head: copied(value[head], tuple(tail))}

    found: dict[str, Any] = copied(VSCODE, path)
    return found


def test_a_client_that_can_do_everything() -> None:
    assert features(VSCODE, "Visual Studio Code") == ClientFeatures(
        name="Visual Studio Code",
        resolves_edits=True,
        versions=True,
        annotations=True,
        tags=True,
        disabled=True,
        progress=True,
        applies_edits=True,
        configuration=True,
        streams=True,
        status=True,
        max_hz=12.0,
    )


def test_a_client_that_says_nothing_can_do_nothing() -> None:
    assert features({}) == ClientFeatures()
    assert (
        features({"workspace": {}, "textDocument": {}, "window": {}, "experimental": {}}) == ClientFeatures()
    )


@pytest.mark.parametrize(
    ("path", "feature"),
    [
        (("textDocument", "codeAction", "dataSupport"), "resolves_edits"),
        (("textDocument", "codeAction", "resolveSupport"), "resolves_edits"),
        (("workspace", "workspaceEdit", "documentChanges"), "versions"),
        (("workspace", "workspaceEdit", "changeAnnotationSupport"), "annotations"),
        (("textDocument", "codeAction", "honorsChangeAnnotations"), "annotations"),
        (("textDocument", "codeAction", "tagSupport"), "tags"),
        (("textDocument", "codeAction", "disabledSupport"), "disabled"),
        (("window", "workDoneProgress"), "progress"),
        (("workspace", "applyEdit"), "applies_edits"),
        (("workspace", "configuration"), "configuration"),
        (("experimental", "editflow", "stepStream"), "streams"),
        (("experimental", "editflow", "status"), "status"),
    ],
)
def test_each_feature_needs_what_it_is_made_of(path: tuple[str, ...], feature: str) -> None:
    assert getattr(features(VSCODE), feature)
    assert not getattr(features(without(*path)), feature)


def test_resolving_something_else_than_the_edit_does_not_count() -> None:
    action = {"dataSupport": True, "resolveSupport": {"properties": ["command"]}}
    assert not features({"textDocument": {"codeAction": action}}).resolves_edits


def test_neovim_honours_versions_without_saying_so() -> None:
    assert features({}, "Neovim").versions
    assert not features({}, "Emacs").versions


@pytest.mark.parametrize(
    ("hz", "read"),
    [
        (5, 5.0),
        (2.5, 2.5),
        (0, 1.0),
        (-3, 1.0),
        (1000, MAX_HZ),
        (1e999, MAX_HZ),
        (True, MAX_HZ),
        ("9", MAX_HZ),
    ],
)
def test_the_rate_is_kept_between_its_limits(hz: object, read: float) -> None:
    said = {"experimental": {"editflow": {"version": 1, "maxHz": hz}}}
    assert features(said).max_hz == read


@pytest.mark.parametrize(
    "said",
    [
        {"editflow": {"version": 2, "stepStream": True, "status": True}},
        {"editflow": {"stepStream": True, "status": True}},
        {"editflow": {"version": 1, "stepStream": 1, "status": "yes"}},
        {"editflow": [1]},
        {"editflow": None},
        {"another": {"version": 1, "stepStream": True, "status": True}},
        [],
        "editflow",
    ],
)
def test_nothing_custom_is_sent_to_a_client_that_did_not_announce_this_version(said: object) -> None:
    read = features({"experimental": said})
    assert not read.streams
    assert not read.status
