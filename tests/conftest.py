"""What all tests share: property tests without deadlines, no look at a person's data, and one small tokenizer."""

import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from editflow.tokens import CodeTokenizer

settings.register_profile("editflow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("editflow")


@pytest.fixture(scope="session")
def unused_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of folders that are not there yet."""
    return (tmp_path_factory.getbasetemp() / f"data{number}" for number in count())


@pytest.fixture(autouse=True)
def _data_of_its_own(unused_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have adapters and recorded outcomes: no test sees or changes them."""
    monkeypatch.setenv("XDG_DATA_HOME", str(next(unused_folders)))


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer.json with 600 ids, trained on textwrap's source."""
    from editflow_trainer.sources import functions_in
    from editflow_trainer.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    functions = functions_in(inspect.getsource(textwrap), package="textwrap", path="textwrap.py")
    rows = "".join(json.dumps(asdict(function)) + "\n" for function in functions)
    (folder / "functions.jsonl").write_text(rows, "utf-8")
    train_tokenizer(folder / "functions.jsonl", folder / "tokenizer.json", vocab_size=600)
    return folder / "tokenizer.json"


@pytest.fixture(scope="session")
def code_tokenizer(tokenizer_file: Path) -> "CodeTokenizer":
    """The tokenizer of `tokenizer_file`, loaded."""
    from editflow.tokens import CodeTokenizer

    return CodeTokenizer.from_file(tokenizer_file)
