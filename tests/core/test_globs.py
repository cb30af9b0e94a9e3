"""Patterns against git's own reading of a .gitignore, and the ones that are refused."""

import os
import subprocess
import time
from pathlib import Path, PurePath

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from editflow import globs

NAMES = ["a", "ab", "b.py", ".a", "a b"]
PIECES = ["a", "b", "*", "?", "[ab]", "[!a]", "[^b]", ".py", ".", "a b"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
names = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3)
    .map("".join)
    .filter(lambda name: "**" not in name)
)
patterns = (
    st.tuples(
        st.sampled_from(["", "/", "**/"]),
        st.lists(names | st.just("**"), min_size=1, max_size=3).map("/".join),
        st.sampled_from(["", "/"]),
    )
    .map("".join)
    .filter(lambda pattern: {".", ".."}.isdisjoint(pattern.split("/")))
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def ignored(repository: Path, patterns: list[str], files: list[str]) -> set[str]:
    """What git ignores of the files in folders 0, 1, ..., of which each has a .gitignore with one pattern."""
    for at, pattern in enumerate(patterns):
        (repository / str(at)).mkdir(exist_ok=True)
        (repository / str(at) / ".gitignore").write_text(pattern + "\n", "utf-8")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    ran = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        env=environment,
        input="\0".join(f"{at}/{file}" for at in range(len(patterns)) for file in files),
        capture_output=True,
        text=True,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return set(ran.stdout.split("\0")) - {""}


@settings(max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # git is slow to shrink with
@given(
    patterns=st.lists(patterns, min_size=6, max_size=12),
    files=st.lists(paths, min_size=5, max_size=20, unique=True),
)
def test_git_reads_them_alike(repository: Path, patterns: list[str], files: list[str]) -> None:
    assert globs.usable(list(patterns)) == (tuple(patterns), [])
    found = {
        f"{at}/{file}"
        for at, pattern in enumerate(patterns)
        for file in files
        if globs.matches([pattern], PurePath(file))
    }
    assert found == ignored(repository, patterns, files)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.py", "a/b.py", True),
        ("a/*.py", "a/b.py", True),
        ("a/*.py", "x/a/b.py", False),
        ("build/", "x/build/y", True),
        ("build/", "x/build", False),
        ("build", "x/build/y/z.py", True),
        ("**/generated/**", "generated/a.py", True),
        ("a/**/b.py", "a/b.py", True),
        ("a/**", "a", False),
        ("/a.py", "b/a.py", False),
    ],
)
def test_examples(pattern: str, path: str, expected: bool) -> None:
    assert globs.matches(["nothing", pattern], PurePath(path)) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (3, "not a string"),
        ("", "empty"),
        ("//", "empty"),
        ("a" * 257, "longer than 256"),
        ("a\nb", "not printable"),
        ("!a", "cannot take back"),
        ("a\\b", "backslash"),
        ("../a", ".."),
        ("./a", "."),
    ],
)
def test_a_pattern_that_is_refused_does_not_take_the_others_with_it(given: object, reason: str) -> None:
    good, problems = globs.usable(["a", given, "b"])
    assert good == ("a", "b")
    assert len(problems) == 1
    assert reason in problems[0]
    assert "\n" not in problems[0]


def test_there_is_a_most_of_patterns() -> None:
    good, problems = globs.usable([f"a{at}" for at in range(300)])
    assert len(good) == 256
    assert problems == ["has more than 256 patterns; the rest is left out"]


@pytest.mark.parametrize("pattern", ["*a" * 120 + "b", "**/" * 80 + "b", "**/a/" * 40 + "b", "[" * 250])
def test_no_pattern_takes_long(pattern: str) -> None:
    began = time.thread_time()
    assert not globs.matches([pattern], PurePath("/".join(["a" * 200] * 20)))
    assert time.thread_time() - began < 0.5
