"""Preparation: the same shards with any number of workers, sources named, nothing beyond the limit."""

import json
import sys
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.data import preparation
from editflow_trainer.data.preparation import Output, info, prepare_functions, prepare_mined, vocabulary
from editflow_trainer.data.shards import open_shards
from editflow_trainer.mining.parquet import write_shards
from tests.trainer.data.test_functions import FUNCTIONS, tokenizer
from tests.trainer.data.test_mined import EDIT

TOKENIZER = Path(str(files("editflow") / "weights" / "default" / "tokenizer.json"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """More functions than fit one frame."""
    file = tmp_path / "functions.jsonl"
    named = [replace(f, package=f"package{n}") for n in range(3) for f in FUNCTIONS]
    file.write_text("".join(json.dumps(asdict(function)) + "\n" for function in named), "utf-8")
    return file


def test_vocabulary_is_what_rows_need() -> None:
    found = vocabulary(TOKENIZER)
    assert found.size == tokenizer().size
    assert tokenizer().decode(list(found.separator)) == "; "
    assert all("\n" in tokenizer().decode([token]) for token in found.line_ends)
    assert len(found.sha256) == 64


def test_a_folder_without_edits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="editflow mine"):
        prepare_mined([tmp_path], Output(tmp_path, TOKENIZER))


@pytest.mark.slow
def test_workers_do_not_change_the_shards(corpus: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        output = Output(tmp_path / str(workers), TOKENIZER, workers=workers)
        counts = prepare_functions(corpus, output, first=2)
        assert set(counts) == {"package0", "package1", "package2"}
        (tmp_path / "edits").mkdir(exist_ok=True)
        write_shards(tmp_path / "edits", "owner+name", [EDIT, replace(EDIT, language="go")])
        assert prepare_mined([tmp_path], output) == {"owner/name": 1}
    names = [file.name for file in sorted((tmp_path / "1").iterdir())]
    assert names == ["functions-00000.efs", "mined-00000.efs"]
    assert all((tmp_path / "1" / n).read_bytes() == (tmp_path / "2" / n).read_bytes() for n in names)
    mined = open_shards(tmp_path / "1")[1]
    assert mined.header.sources == {"owner/name": 1}


@pytest.mark.slow
def test_the_command_stops_at_its_limit(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(preparation, "MEBIBYTE", 30_000)
    arguments = ["functions", str(corpus), str(TOKENIZER), str(out), "--workers", "1", "--most-mib", "1"]
    monkeypatch.setattr(sys, "argv", ["preparation", *arguments, "--codec", "zlib"])
    preparation.main()
    made = json.loads(capsys.readouterr().out)["examples"]
    assert 0 < made < 3 * len(FUNCTIONS)
    monkeypatch.setattr(sys, "argv", ["preparation", "info", str(out)])
    preparation.main()
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(info(out)))
    assert told["examples"] == told["function"] == made
