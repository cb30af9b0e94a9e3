"""Cases: edits of the given commits with their files around, right functions beside them, and slips in others."""

from pathlib import Path

import pytest

from editflow.tokens import CodeTokenizer
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.miner import mine_all
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings
from editflow_trainer.personal.cases import Cases, Most, draw_cases
from editflow_trainer.personal.code import functions_at
from editflow_trainer.personal.prepare import Lessons
from tests.trainer.mining.history_maker import commit, git, make

NAMES = ("amount", "price", "total", "weight", "height", "width", "length", "volume")


def module(step: int) -> str:
    """One function a name, of which the first `step` have learned to round."""
    return "import math\n\n\n" + "\n\n".join(function(name, i < step) for i, name in enumerate(NAMES))


def function(name: str, rounded: bool) -> str:
    value = f"round({name} * rate, 2)" if rounded else f"{name} * rate"
    return (
        f"def scale_{name}({name}, rate):\n    if rate < 0:\n        raise ValueError({name})\n"
        f"    scaled = {value}\n    return math.fabs(scaled)\n"
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("cases") / "shop")
    for step in range(len(NAMES)):
        commit(folder, f"Round {NAMES[step - 1]}" if step else "Scales", {"scale.py": module(step)})
    return folder


@pytest.fixture(scope="module")
def edits(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[MinedEdit]:
    found = Repository.at(repository)
    return list(mine_all([found], tmp_path_factory.mktemp("mined"), Settings()).store.edits(found.name))


@pytest.fixture
def cases(repository: Path, edits: list[MinedEdit], code_tokenizer: CodeTokenizer) -> Cases:
    return draw_cases(edits[:3], repository, code_tokenizer, Most(edits=2, clean=2, told=1, slips=2), seed=0)


def test_an_edit_asks_for_the_commit_s_text_with_its_message(cases: Cases, edits: list[MinedEdit]) -> None:
    assert len(cases.edits) == 2
    for case in cases.edits:
        edit = next(edit for edit in edits if edit.commit == case.cluster)
        assert case.request.instruction == edit.message
        assert edit.before in case.request.document.text
        assert case.expected == case.request.document.text.replace(edit.before, edit.after)
        assert case.request.document.text.startswith("import math\n")


def test_right_functions_are_asked_about_without_a_message(cases: Cases) -> None:
    assert len(cases.clean) == 2
    for case in cases.clean:
        assert case.expected == case.request.document.text
        assert case.request.instruction == ""


def test_what_an_edit_finds_wrong_does_not_count_as_right(cases: Cases, edits: list[MinedEdit]) -> None:
    for case in (*cases.clean, *cases.slips):
        assert not any(edit.before in case.expected for edit in edits[:3])


def test_slips_are_broken_and_no_case_of_another_sort(cases: Cases) -> None:
    assert cases.slips
    for case in cases.slips:
        assert case.request.document.text != case.expected
    clean = {case.expected for case in cases.clean}
    assert not clean & {case.expected for case in cases.slips}


def test_what_judges_is_never_trained_on(repository: Path, edits: list[MinedEdit], cases: Cases) -> None:
    everything = list(functions_at(repository, git(repository, "rev-parse", "HEAD"), "shop"))
    taught = Lessons(edits, edits, everything).without(cases.unseen)
    right = {case.expected for case in cases.clean} | {case.expected for case in cases.slips}
    assert len(taught.functions) < len(everything)
    for text in (*(f.text for f in taught.functions), *(edit.after for edit in taught.edits)):
        assert not any(expected.endswith(text) for expected in right)


def test_the_seed_decides(repository: Path, edits: list[MinedEdit], code_tokenizer: CodeTokenizer) -> None:
    draw = [
        [case.name for case in draw_cases(edits, repository, code_tokenizer, Most(3, 2, 1, 1), seed).edits]
        for seed in (1, 1, 2, 3)
    ]
    assert draw[0] == draw[1]
    assert len({tuple(names) for names in draw}) > 1
