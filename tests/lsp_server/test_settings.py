"""Settings from whatever a client sends, and what a repository's configuration may take away from them."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.configuration import Configuration
from editflow_lsp.settings import Settings

KEYS = [
    "model",
    "maxLines",
    "max_lines",
    "threshold",
    "exclude",
    "daemon",
    "adapter",
    "review",
    "suspicion",
    "x",
]
leaves = (
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.text(max_size=6) | st.just("always")
)
json = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
layers = st.lists(json | st.dictionaries(st.sampled_from(KEYS), json, max_size=6), max_size=3)
GIVEN = {
    "model": "small",
    "device": "cpu",
    "daemon": False,
    "adapter": "none",
    "threshold": 0.5,
    "review": "always",
    "exclude": ["gen/"],
    "maxLines": 100,
    "suspicion": True,
    "recordOutcomes": True,
}
EXPECTED = Settings("small", "cpu", False, "none", 0.5, "always", ("gen/",), 100, True, True)
FILE = Path("/repository/a.py")


def snake(key: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in key)


def test_every_setting_in_both_spellings() -> None:
    snakes = {snake(key): value for key, value in GIVEN.items()}
    assert set(snakes) == {field.name for field in fields(Settings)}
    assert Settings.read(GIVEN) == Settings.read(snakes) == (EXPECTED, [])


def test_nothing_given_is_the_default() -> None:
    assert (
        Settings.read() == Settings.read(None, {}) == Settings.read(dict.fromkeys(GIVEN)) == (Settings(), [])
    )


def test_later_layers_win() -> None:
    first = {"threshold": 0.5, "maxLines": 10, "review": "always"}
    settings, problems = Settings.read(first, {"threshold": None, "max_lines": 20, "review": None})
    assert settings == Settings(threshold=None, max_lines=20, review="always")
    assert problems == []


def test_what_a_running_engine_cannot_change_stays() -> None:
    first, second = {"model": "small", "device": "cpu"}, {"model": "large", "device": "cpu", "daemon": False}
    assert Settings.read(first, second) == (Settings("large", "cpu", daemon=False), [])
    running, _ = Settings.read(first)
    settings, problems = Settings.read(first, second, running=running)
    assert settings == Settings(model="small", device="cpu")
    assert problems == ["restart to use the new model", "restart to use the new daemon"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", ""),
        ("model", 3),
        ("model", "a\nb"),
        ("device", []),
        ("device", "gpu0"),
        ("daemon", "no"),
        ("adapter", "poetry@1a2b3c4d"),
        ("threshold", 2),
        ("threshold", True),
        ("threshold", float("nan")),
        ("review", "never"),
        ("review", {}),
        ("exclude", "a"),
        ("exclude", ["!a"]),
        ("maxLines", 0),
        ("max_lines", 1.5),
        ("suspicion", 1),
        ("recordOutcomes", "yes"),
    ],
)
def test_a_bad_value_counts_as_not_given(key: str, value: object) -> None:
    settings, problems = Settings.read(
        {key: value, "record_outcomes": True} if key != "recordOutcomes" else {key: value}
    )
    assert settings == Settings(record_outcomes=key != "recordOutcomes")
    assert len(problems) == 1
    assert problems[0].startswith(f"{key} ")


def test_a_bad_value_leaves_an_earlier_good_one() -> None:
    settings, problems = Settings.read({"maxLines": 7, "exclude": ["a"]}, {"maxLines": -1, "exclude": 3})
    assert settings == Settings(max_lines=7, exclude=("a",))
    assert problems == ["exclude must be a list of patterns", "maxLines must be a whole number above 0"][::-1]


def test_a_misspelt_name_is_told_and_the_clients_own_are_not() -> None:
    own = {"interpreter": "python3", "preview": "stream", "maxHz": 20, "jumpAfterAccept": False, "trace": {}}
    assert Settings.read({**own, "modle": "x"}) == (Settings(), ["unknown setting 'modle'"])


def test_only_an_object_is_a_layer() -> None:
    assert Settings.read([1], {"maxLines": 3}) == (Settings(max_lines=3), ["the settings must be an object"])


@given(layers)
def test_anything_at_all_is_read(given: list[object]) -> None:
    settings, problems = Settings.read(*given)
    assert settings.max_lines > 0
    assert settings.threshold is None or 0 <= settings.threshold <= 1
    assert settings.review in ("auto", "always")
    assert isinstance(settings.model, str) and isinstance(settings.daemon, bool)
    assert all(problem.isprintable() for problem in problems)


probabilities = st.none() | st.floats(0, 1)
counts = st.integers(1, 100)


@given(probabilities, probabilities, counts, st.none() | counts, counts)
def test_a_repository_can_only_narrow(
    mine: float | None, theirs: float | None, most: int, fewer: int | None, lines: int
) -> None:
    settings = Settings(threshold=mine, max_lines=most)
    effective = settings.narrowed(Configuration(threshold=theirs, max_lines=fewer))
    assert effective.least_confidence == (theirs or 0)
    assert (effective.threshold is None) == (mine is None)
    if effective.threshold is not None:
        assert effective.threshold == max(mine or 0, theirs or 0)
    assert (effective.refusal(None, lines) is None) == (lines <= min(most, fewer or most))


def test_reasons_to_leave_a_file_alone() -> None:
    file = Path("/repository/editflow.toml")
    settings = Settings(exclude=("gen/", "/top.py"), max_lines=10)
    theirs = settings.narrowed(Configuration(file, exclude=("*_pb2.py",)))
    folder = Path("/repository")
    assert theirs.refusal(FILE, 10, folder) is None
    assert theirs.refusal(None, 10) is None
    assert theirs.refusal(FILE, 11, folder) == "11 lines are more than the 10 of your settings"
    assert theirs.refusal(folder / "a_pb2.py", 1, folder) == f"excluded by {file}"
    assert theirs.refusal(folder / "gen" / "a.py", 1, folder) == "excluded by your settings"
    assert theirs.refusal(folder / "gen" / "a.py", 1) == "excluded by your settings"
    assert theirs.refusal(folder / "top.py", 1, folder) == "excluded by your settings"
    assert theirs.refusal(folder / "top.py", 1) is None
    off = settings.narrowed(Configuration(file, enabled=False))
    assert off.refusal(None, 1) == off.refusal(FILE, 1, folder) == f"switched off by {file}"
