"""What a repository may say, where it is looked for, and everything that it may not do."""

import os
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editflow.configuration import Configuration, is_count, is_probability


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace folder below a home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def only_problem(configuration: Configuration) -> str:
    assert len(configuration.problems) == 1
    assert configuration.problems[0].isprintable()
    return configuration.problems[0]


def test_nothing_said_is_nothing_asked(top: Path) -> None:
    found = Configuration.of(top / "a.py", top)
    assert found == Configuration()
    assert not found.excludes(top / "a.py")


@pytest.mark.parametrize(("name", "table"), [("editflow.toml", ""), ("pyproject.toml", "[tool.editflow]\n")])
def test_all_keys(top: Path, name: str, table: str) -> None:
    keys = 'enabled = false\nexclude = ["gen/", "*_pb2.py"]\nmax-lines = 500\nthreshold = 0.75\n'
    path = write(top / name, table + keys)
    found = Configuration.of(top / "sub" / "a.py", top)
    assert found == Configuration(path, False, ("gen/", "*_pb2.py"), 500, 0.75)
    assert found.excludes(top / "gen" / "a.py")
    assert found.excludes(top / "sub" / ".." / "gen" / "a.py")
    assert found.excludes(top / "sub" / "a_pb2.py")
    assert not found.excludes(top / "a.py")
    assert not found.excludes(top.parent / "a_pb2.py")


def test_the_nearest_file_counts_alone(top: Path) -> None:
    write(top / "editflow.toml", "enabled = false")
    near = write(top / "sub" / "editflow.toml", "max-lines = 7")
    assert Configuration.of(top / "sub" / "deep" / "a.py", top) == Configuration(near, max_lines=7)


def test_editflow_toml_comes_before_pyproject_toml(top: Path) -> None:
    write(top / "pyproject.toml", "[tool.editflow]\nenabled = false")
    own = write(top / "editflow.toml", "")
    assert Configuration.of(top / "a.py", top) == Configuration(own)


@pytest.mark.parametrize(
    "text", ["", "tool = 1", "[tool.ruff]\nline-length = 110", "[editflow]\nenabled = false"]
)
def test_a_pyproject_toml_that_is_not_about_us_is_passed_by(top: Path, text: str) -> None:
    write(top / "sub" / "pyproject.toml", text)
    own = write(top / "editflow.toml", "threshold = 1")
    assert Configuration.of(top / "sub" / "a.py", top) == Configuration(own, threshold=1)


@pytest.mark.parametrize("inner", ["workspace folder", "repository", "worktree"])
def test_nothing_above_the_outermost_folder_counts(top: Path, inner: str) -> None:
    write(top / "editflow.toml", "enabled = false")
    folder = top / "inner"
    folder.mkdir()
    if inner == "repository":
        (folder / ".git").mkdir()
    if inner == "worktree":
        (folder / ".git").write_text("gitdir: elsewhere", "utf-8")
    workspace = folder if inner == "workspace folder" else None
    assert Configuration.of(folder / "a.py", workspace) == Configuration()


def test_the_home_folder_is_not_looked_in(top: Path) -> None:
    write(top.parent / "editflow.toml", "enabled = false")
    assert Configuration.of(top / "a.py") == Configuration()
    assert Configuration.of(top.parent / "a.py", top.parent) == Configuration()


def test_what_runs_is_not_a_repositorys_choice(top: Path) -> None:
    text = 'model = "x"\nDevice = 1\nunix-socket = 2\npythonPath = ""\nmax-lines = 9\n[command]\nargs = []'
    path = write(top / "editflow.toml", text)
    found = Configuration.of(top / "a.py", top)
    assert found.max_lines == 9
    problem = only_problem(found)
    assert problem.startswith(f"{path}: a repository cannot choose")
    assert all(key in problem for key in ("model", "Device", "unix-socket", "pythonPath", "command"))


def test_unknown_keys_are_named_and_the_known(top: Path) -> None:
    path = write(top / "editflow.toml", 'colour = 1\n"a\\nb" = 2\nenabled = false')
    found = Configuration.of(top / "a.py", top)
    assert not found.enabled
    expected = "unknown colour, 'a\\nb'; known are enabled, exclude, max-lines, threshold"
    assert only_problem(found) == f"{path}: {expected}"


def test_many_unknown_keys_are_one_short_problem(top: Path) -> None:
    write(top / "editflow.toml", "".join(f"{'x' * 900}{at} = 1\n" for at in range(40)))
    problem = only_problem(Configuration.of(top / "a.py", top))
    assert "35 more" in problem
    assert len(problem) < 600


@pytest.mark.parametrize(
    "line",
    [
        "enabled = 1",
        'exclude = "a"',
        "exclude = [1]",
        'exclude = ["../a"]',
        "max-lines = 0",
        "max-lines = true",
        "max-lines = 1.5",
        "threshold = 1.1",
        "threshold = nan",
        "threshold = true",
        'threshold = "0.5"',
    ],
)
def test_a_wrong_value_is_a_problem_and_the_rest_counts(top: Path, line: str) -> None:
    key = line.split()[0]
    other = "enabled = false" if key != "enabled" else "max-lines = 3"
    path = write(top / "editflow.toml", f"{line}\n{other}")
    found = Configuration.of(top / "a.py", top)
    assert only_problem(found).startswith(f"{path}: {key} ")
    assert (found.enabled, found.max_lines) == ((False, None) if key != "enabled" else (True, 3))
    assert found.exclude == () and found.threshold is None


@pytest.mark.parametrize(
    "data",
    [
        b"enabled = ",
        b"enabled = false\nenabled = false",
        b"\xff",
        b"enabled = false\0",
        b"a = " + b"[" * 60_000,
        b"a = " + b"9" * 60_000,
        b"enabled = false\n" + b"#" * 64 * 1024,
    ],
)
def test_an_unusable_file_counts_as_empty(top: Path, data: bytes) -> None:
    path = top / "editflow.toml"
    path.write_bytes(data)
    found = Configuration.of(top / "a.py", top)
    assert found == Configuration(path, problems=found.problems)
    assert only_problem(found).startswith(f"{path}: ")
    assert only_problem(found).endswith("; it counts as empty")


def test_an_unusable_pyproject_toml_hides_nothing_above_it(top: Path) -> None:
    write(top / "sub" / "pyproject.toml", "[tool.")
    own = write(top / "editflow.toml", "enabled = false")
    found = Configuration.of(top / "sub" / "a.py", top)
    assert (found.path, found.enabled) == (own, False)
    assert "not valid TOML" in only_problem(found)


def test_a_table_is_asked_for(top: Path) -> None:
    write(top / "pyproject.toml", "[tool]\neditflow = 3")
    assert "not a table" in only_problem(Configuration.of(top / "a.py", top))


def test_a_link_may_not_lead_out(top: Path) -> None:
    outside = write(top.parent / "outside.toml", "enabled = false")
    (top / "editflow.toml").symlink_to(outside)
    found = Configuration.of(top / "a.py", top)
    assert found.enabled
    assert "a link that leads out" in only_problem(found)


def test_a_link_may_stay_inside(top: Path) -> None:
    write(top / "editflow.toml", "enabled = false")
    link = top / "sub" / "editflow.toml"
    link.parent.mkdir()
    link.symlink_to(top / "editflow.toml")
    assert Configuration.of(top / "sub" / "a.py", top) == Configuration(link, enabled=False)


def test_what_is_no_file_is_not_opened(top: Path) -> None:
    os.mkfifo(top / "editflow.toml")
    assert "not a regular file" in only_problem(Configuration.of(top / "a.py", top))


def test_a_link_to_itself_is_a_problem(top: Path) -> None:
    (top / "editflow.toml").symlink_to("editflow.toml")
    assert "cannot be read" in only_problem(Configuration.of(top / "a.py", top))


def test_a_changed_file_is_read_again(top: Path) -> None:
    path = write(top / "editflow.toml", "max-lines = 1")
    assert Configuration.of(top / "a.py", top).max_lines == 1
    write(path, "max-lines = 2")
    os.utime(path, ns=(1, 1))
    assert Configuration.of(top / "a.py", top).max_lines == 2
    path.unlink()
    assert Configuration.of(top / "a.py", top) == Configuration()


def test_why_a_document_is_left_alone() -> None:
    file = Path("/repository/editflow.toml")
    configuration = Configuration(file, exclude=("*_pb2.py",), max_lines=10)
    assert configuration.refusal(file.parent / "a.py", 10) is None
    assert configuration.refusal(file.parent / "a_pb2.py", 1) == f"excluded by {file}"
    assert configuration.refusal(None, 11) == f"11 lines are more than the 10 of {file}"
    assert Configuration(file, enabled=False).refusal(None, 1) == f"switched off by {file}"
    assert Configuration().refusal(None, 10**9) is None


@pytest.mark.parametrize(
    ("value", "count", "probability"),
    [
        (1, True, True),
        (10**30, True, False),
        (0, False, True),
        (0.5, False, True),
        (1.5, False, False),
        (-1, False, False),
        (True, False, False),
        (float("nan"), False, False),
        (float("inf"), False, False),
        ("1", False, False),
        (None, False, False),
        ([1], False, False),
    ],
)
def test_checks(value: object, count: bool, probability: bool) -> None:
    assert (is_count(value), is_probability(value)) == (count, probability)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.text("abc=[]\"'.#\n 1", max_size=40).map(str.encode))
def test_no_file_is_an_exception(top: Path, data: bytes) -> None:
    path = top / "editflow.toml"
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(0, crc32(data)))
    found = Configuration.of(top / "a.py", top)
    assert found.path == path
    assert (found.enabled, found.exclude, found.max_lines, found.threshold) == (True, (), None, None)
