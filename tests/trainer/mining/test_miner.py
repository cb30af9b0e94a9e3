"""Mining small repositories from end to end: what is kept, counted, written, and done again."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from editflow.errors import EditFlowError
from editflow_trainer.commands.mine import mine
from editflow_trainer.mining import parquet
from editflow_trainer.mining.cluster import run_jobs_on_ray
from editflow_trainer.mining.miner import Run, mine_all, mine_each
from editflow_trainer.mining.pool import Failure, run_jobs
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings
from editflow_trainer.mining.store import Store
from editflow_trainer.mining.worker import Job, Mined
from tests.trainer.mining.history_maker import SHOP, commit, git, make, replaced

FIXED = replaced("amount + tax", "amount * tax")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A fix, a revert of it, a new file's change, and a program's commit."""
    folder = make(tmp_path / "ada" / "shop")
    commit(folder, "Start", {"shop.py": SHOP, "LICENSE": "Permission is hereby granted, free of charge"})
    commit(folder, "Fix the tax", {"shop.py": FIXED, "README": "Shop"})
    commit(folder, 'Revert "Fix the tax"', {"shop.py": SHOP})
    commit(folder, "Fix the tax again", {"shop.py": FIXED})
    commit(folder, "Rename", {"shop.py": replaced("radius):", "r):", FIXED).replace("radius", "r")})
    commit(folder, "Bump", {"shop.py": SHOP}, GIT_AUTHOR_NAME="renovate[bot]")
    return folder


def run(folders: list[Path], out: Path, settings: Settings | None = None, **options: Any) -> Run:
    return mine_all([Repository.at(folder) for folder in folders], out, settings or Settings(), **options)


def manifest(out: Path) -> Any:
    return json.loads((out / "manifest.json").read_text("utf-8"))


def test_edits_and_counts(shop: Path, tmp_path: Path) -> None:
    mined = run([shop], tmp_path / "out")
    edits = list(mined.store.edits("ada/shop"))
    assert [(e.message, e.scope, e.kind) for e in edits] == [
        ("Rename", "area", ""),
        ("Fix the tax again", "Shop.total", "wrong_operator"),
    ]
    entry = manifest(tmp_path / "out")["repositories"]["ada/shop"]
    assert entry["commits"] == {"seen": 6, "kept": 4, "dropped": {"bot": 1, "revert": 1}}
    assert entry["files"] == {"seen": 3, "kept": 3, "dropped": {}}
    assert entry["edits"] == {"seen": 3, "kept": 2, "dropped": {"duplicate": 1}}
    assert entry["licence"] == {"file": "LICENSE", "guess": "MIT"}
    assert entry["kinds"] == {"wrong_operator": 1} and entry["levels"] == {"function": 2}
    assert entry["head"] == git(shop, "rev-parse", "HEAD") and entry["shallow"] is False


def test_the_folder_is_private_and_its_files_whole(shop: Path, tmp_path: Path) -> None:
    run([shop], tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file()) == [
        "ada+shop-00000.parquet",
        "manifest.json",
    ]
    table = pq.read_table(tmp_path / "out" / "edits" / "ada+shop-00000.parquet")
    assert table.schema.equals(parquet.SCHEMA) and table["diagnostics"].null_count == 2


def test_what_is_done_is_kept_and_new_commits_are_mined(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run([shop], out)
    again = run([shop], out)
    assert (again.mined, again.kept) == ((), ("ada/shop",))
    commit(shop, "Fix area", {"shop.py": replaced("math.pi *", "2 * math.pi *")})
    after = run([shop], out)
    assert after.mined == ("ada/shop",)
    assert [e.message for e in after.store.edits("ada/shop")] == ["Fix area", "Rename", "Fix the tax again"]


def test_a_resumed_run_knows_the_edits_of_the_run_before(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "eve+fork.git")
    git(tmp_path / "eve+fork.git", "remote", "remove", "origin")
    together = run([shop, tmp_path / "eve+fork.git"], tmp_path / "together")
    run([shop], tmp_path / "apart")
    apart = run([tmp_path / "eve+fork.git"], tmp_path / "apart")
    for one in (together, apart):
        assert one.mined[-1] == "eve/fork" and list(one.store.edits("eve/fork")) == []
        assert one.store.entries["eve/fork"].edits.dropped == {"duplicate": 3}


def test_failures_do_not_end_the_run(shop: Path, tmp_path: Path) -> None:
    empty = make(tmp_path / "ada" / "empty")
    lines: list[str] = []
    mined = run([empty, shop], tmp_path / "out", say=lines.append)
    assert mined.mined == ("ada/shop",)
    assert [failure.repository for failure in mined.failures] == ["ada/empty"]
    assert lines[0].startswith("ada/empty: failed: git finds no history")
    assert list(manifest(tmp_path / "out")["repositories"]) == ["ada/shop"]


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,)


def test_processes_keep_the_order_and_survive_the_death_of_one(shop: Path, tmp_path: Path) -> None:
    good = Job(Repository.at(shop), Settings(), (), tmp_path / "good.parquet")
    bad = Job(Repository("ada/bad", Deadly()), Settings(), (), tmp_path / "bad.parquet")  # type: ignore[arg-type]
    (first, died), (second, lived) = run_jobs([bad, good], 2)
    assert (first.repository.name, second.repository.name) == ("ada/bad", "ada/shop")
    assert died == Failure("ada/bad", "its process died, perhaps for lack of memory")
    assert isinstance(lived, Mined) and len(list(parquet.read_candidates(tmp_path / "good.parquet"))) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
def test_ray_mines_the_same(shop: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    empty = make(tmp_path / "ada" / "empty")
    here = run([empty, shop], tmp_path / "here")
    there = run([empty, shop], tmp_path / "there", engine=run_jobs_on_ray)
    assert list(there.store.edits("ada/shop")) == list(here.store.edits("ada/shop")) != []
    assert there.failures == here.failures != ()


def test_settings_are_not_mixed_in_one_folder(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    limited = run([shop], out, Settings(limit=2))
    assert limited.store.entries["ada/shop"].commits.seen == 2
    with pytest.raises(EditFlowError, match="another limit"):
        run([shop], out)
    (out / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(EditFlowError, match="damaged"):
        run([shop], out)


@pytest.mark.parametrize(
    "narrower",
    [Settings(paths=("shop.py",)), Settings(author="Ada"), Settings(enough=9)],
    ids=["paths", "author", "enough"],
)
def test_what_narrows_a_history_is_not_mixed_either(narrower: Settings, shop: Path, tmp_path: Path) -> None:
    for first, second in ((narrower, Settings()), (Settings(), narrower)):
        out = tmp_path / f"{first.enough} {first.paths} {first.author}"
        run([shop], out, first)
        assert run([shop], out, first).kept == ("ada/shop",)
        with pytest.raises(EditFlowError, match=r"another (paths|author|enough)"):
            run([shop], out, second)


def test_settings_of_before_are_those_that_narrow_nothing() -> None:
    narrowing = {"paths", "author", "enough"}
    assert not narrowing & Settings().as_json("").keys()
    assert narrowing <= Settings(paths=("a",), author="b", enough=1).as_json("").keys()


def test_a_store_opened_to_be_read_asks_for_no_settings(shop: Path, tmp_path: Path) -> None:
    run([shop], tmp_path / "out", Settings(author="Ada"))
    assert list(Store(tmp_path / "out", {}).entries) == ["ada/shop"]


def test_paths_and_authors_narrow_what_is_mined(shop: Path, tmp_path: Path) -> None:
    commit(shop, "Add", {"lib/area.py": SHOP})
    commit(shop, "Halve", {"lib/area.py": replaced("radius * radius", "radius / 2")}, GIT_AUTHOR_NAME="Eve")
    found = {
        name: [edit.message for edit in run([shop], tmp_path / name, settings).store.edits("ada/shop")]
        for name, settings in {
            "lib": Settings(paths=("lib",)),
            "not lib": Settings(paths=(":(exclude)lib",)),
            "Eve": Settings(author="Eve"),
            "Ada": Settings(author="Ada"),
        }.items()
    }
    assert found["lib"] == found["Eve"] == ["Halve"]
    assert found["not lib"] == found["Ada"] == ["Rename", "Fix the tax again"]


def test_older_commits_are_not_read_once_there_is_enough(shop: Path, tmp_path: Path) -> None:
    mined = run([shop], tmp_path / "out", Settings(enough=1))
    assert [edit.message for edit in mined.store.edits("ada/shop")] == ["Rename"]
    entry = mined.store.entries["ada/shop"]
    assert entry.commits.seen == 2  # a program's, and the one that was enough
    all_of_them = run([shop], tmp_path / "all", Settings(enough=100)).store.edits("ada/shop")
    assert list(all_of_them) == list(run([shop], tmp_path / "free").store.edits("ada/shop"))


def test_repositories_are_mined_apart_as_one_by_one(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "eve+fork.git")
    git(tmp_path / "eve+fork.git", "remote", "remove", "origin")
    folders = {"shop": shop, "fork": tmp_path / "eve+fork.git", "empty": make(tmp_path / "ada" / "empty")}
    said: list[str] = []
    places = [(Repository.at(folder), tmp_path / "out" / name) for name, folder in folders.items()]
    for _ in range(2):
        mine_each(places, Settings(), say=said.append)
    assert [line.partition(":")[0] for line in said] == ["ada/shop", "eve/fork", "ada/empty", "ada/empty"]
    for name, repository in (("shop", "ada/shop"), ("fork", "eve/fork")):
        alone = run(
            [folders[name]], tmp_path / name
        )  # a fork's edits are no duplicates in a folder of its own
        apart = Store(tmp_path / "out" / name, {})
        assert list(apart.edits(repository)) == list(alone.store.edits(repository)) != []
    assert not Store(tmp_path / "out" / "empty", {}).entries


def test_evaluation_data_is_left_out(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    method = FIXED[FIXED.index("    def total") : FIXED.index("    def name")]
    (tmp_path / "suite" / "x.jsonl").write_text(json.dumps({"after": method}) + "\n", "utf-8")
    mined = run([shop], tmp_path / "out", exclude=[tmp_path / "suite"])
    assert [e.scope for e in mined.store.edits("ada/shop")] == ["area"]
    assert mined.store.entries["ada/shop"].edits.dropped == {"evaluation": 2}


def test_diagnostics_are_those_in_the_edit(tmp_path: Path) -> None:
    folder = make(tmp_path / "ada" / "names")
    old = "def f(x):\n    return x + absent\n\n\ndef g():\n    return missing, gone\n"
    commit(folder, "Start", {"a.py": old})
    commit(folder, "Name it", {"a.py": old.replace("missing, gone", "None")})
    (edit,) = run([folder], tmp_path / "out", Settings(diagnostics=True)).store.edits("ada/names")
    assert (edit.scope, edit.diagnostics) == ("g", 2)


def test_large_repositories_have_several_shards(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS_PER_SHARD", 1)
    mined = run([shop], tmp_path / "out")
    assert mined.store.entries["ada/shop"].shards == ["ada+shop-00000.parquet", "ada+shop-00001.parquet"]
    assert len(list(mined.store.edits("ada/shop"))) == 2


def test_one_repository_given_twice_is_an_error(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="one name"):
        run([shop, shop], tmp_path / "out")


def test_the_command_prints_tables_and_draws(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    mine([shop], tmp_path / "out", plot=tmp_path / "kinds.svg")
    shown = capsys.readouterr().out
    assert "MIT" in shown and "duplicate" in shown and "wrong_operator" in shown and "33.3%" in shown
    assert (tmp_path / "kinds.svg").read_text("utf-8").startswith("<?xml")


def test_the_command_narrows(shop: Path, tmp_path: Path) -> None:
    mine([shop], tmp_path / "out", paths=["shop.py"], author="Ada")
    settings = manifest(tmp_path / "out")["settings"]
    assert (settings["paths"], settings["author"]) == (["shop.py"], "Ada")
    mine([shop], tmp_path / "none", paths=["absent"])
    assert manifest(tmp_path / "none")["repositories"]["ada/shop"]["commits"]["seen"] == 0


def test_the_command_refuses_what_is_reserved_and_reports_failures(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "reserved").write_text("eve/shop\n", "utf-8")
    with pytest.raises(EditFlowError, match="kept out of training"):
        mine([shop], tmp_path / "out", reserved=[tmp_path / "reserved"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(EditFlowError, match="1 of 1 repositories failed"):
        mine([make(tmp_path / "ada" / "empty")], tmp_path / "out")
    with pytest.raises(EditFlowError, match="not drawn"):
        mine([make(tmp_path / "eve" / "bare")], tmp_path / "out", plot=tmp_path / "kinds.svg")
