"""Bugs from the way back of a flow: clean code goes in, one or several edits come out."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rapidfuzz.distance import Levenshtein
from safetensors.torch import load_file, save_file

from editflow.checkpoint import WEIGHTS, Calibration, write_config
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.process.continuous import FlowConfig
from editflow.process.edit_flow import Thresholds
from editflow_trainer.bug_flow import Bugs, buggy_versions
from editflow_trainer.sources import SourceFunction
from tests.core.wild import SHAPE, wild_checkpoint, wild_engine

CLEAN = [f"def f{i}(a, b):\n    return a + b * {i}\n" for i in range(20)]


def function(text: str) -> SourceFunction:
    return SourceFunction("package", "a.py", "f", text, "", "", ())


@pytest.fixture(scope="module")
def engine(tokenizer_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A random network; the way back asks for what the way forward asks for."""
    folder = tmp_path_factory.mktemp("reversible")
    shutil.copytree(wild_checkpoint(tokenizer_file), folder, dirs_exist_ok=True)
    weights = load_file(folder / WEIGHTS)
    heads = {
        f"reverse.{name}": value.clone()
        for name, value in weights.items()
        if "head" in name or name in ("token_bias", "copy_key.weight")
    }
    save_file(weights | heads, folder / WEIGHTS)
    shape = replace(SHAPE, reverse=1)
    write_config(folder, "reversible", shape, Thresholds(), Calibration(), FlowConfig(shows_origin=0))
    return Engine.load(str(folder), "cpu")


def test_bugs_are_made_in_clean_functions_and_the_seed_decides(engine: Engine) -> None:
    functions = [function(text) for text in CLEAN]
    made = list(buggy_versions(engine, functions, Bugs(steps=8)))
    assert len(made) >= 3
    assert all(buggy != clean and clean in CLEAN for buggy, clean in made)
    assert made == list(buggy_versions(engine, functions, Bugs(steps=8)))
    assert made != list(buggy_versions(engine, functions, Bugs(steps=8, seed=1)))


def test_one_edit_is_kept_where_one_is_asked_for(engine: Engine) -> None:
    functions = [function(text) for text in CLEAN]
    made = (buggy_versions(engine, functions, Bugs(steps=8, single=single)) for single in (True, False))
    single, several = ({clean: buggy for buggy, clean in pairs} for pairs in made)
    assert single.keys() == several.keys()
    distances = [(Levenshtein.distance(c, single[c]), Levenshtein.distance(c, several[c])) for c in single]
    assert all(one <= all_of_them for one, all_of_them in distances)
    assert any(one < all_of_them for one, all_of_them in distances)


def test_a_function_that_no_window_holds_is_left_out(engine: Engine) -> None:
    assert not list(buggy_versions(engine, [function("x = 1\n" * 400)]))


def test_a_checkpoint_without_a_way_back_is_refused(tokenizer_file: Path) -> None:
    with pytest.raises(EditFlowError, match="way back"):
        list(buggy_versions(wild_engine(tokenizer_file), [function(CLEAN[0])]))
