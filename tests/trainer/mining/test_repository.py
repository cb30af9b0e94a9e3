"""Names of repositories, those that are never mined, and their licences."""

from __future__ import annotations

from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.licence import Licence, find_licence, guess_licence
from editflow_trainer.mining.repository import Repository, read_reserved, refuse_reserved
from tests.trainer.mining.history_maker import commit, git, make


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/ada/shop.git",
        "git@example.org:ada/shop.git",
        "ssh://git@example.org:22/ada/shop",
        "file:///srv/ada/shop/",
        "../ada/shop.git",
    ],
)
def test_the_remote_names_a_repository(tmp_path: Path, address: str) -> None:
    folder = make(tmp_path / "checkout")
    git(folder, "remote", "add", "origin", address)
    assert Repository.at(folder).name == "ada/shop"


@pytest.mark.parametrize("path", ["ada/shop", "ada/shop.git", "ada+shop", "x/ada+shop/repo", "ada/shop/repo"])
def test_without_a_remote_its_folder_does(tmp_path: Path, path: str) -> None:
    repository = Repository.at(make(tmp_path / path))
    assert (repository.name, repository.file_stem) == ("ada/shop", "ada+shop")


def test_a_folder_that_is_no_repository_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="no history"):
        Repository.at(tmp_path)


def test_reserved_repositories_and_their_forks_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "reserved.txt"
    file.write_text("# kept out\nada/shop\n\ndask/dask  # and this\n", "utf-8")
    reserved = read_reserved(file)
    assert reserved == {"ada/shop", "dask/dask"}
    for name in ("ada/shop", "eve/Shop"):
        with pytest.raises(EditFlowError, match="kept out of training as ada/shop"):
            refuse_reserved(Repository(name, tmp_path), reserved)
    refuse_reserved(Repository("dask/distributed", tmp_path), reserved)


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("ada/shop, eve/shop\n", "utf-8")
    for file in (tmp_path / "list", tmp_path / "absent", tmp_path):
        with pytest.raises(EditFlowError, match="owner/name"):
            read_reserved(file)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("MIT License\n\nPermission is hereby\ngranted, free of charge, to any person", "MIT"),
        ("Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007", "GPL-3.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 3 GNU GENERAL PUBLIC LICENSE Version 3", "LGPL"),
        ("Redistributions of source code must retain ... may be used to endorse or promote", "BSD-3-Clause"),
        ("Redistributions of source code must retain the above copyright notice", "BSD-2-Clause"),
        ("All rights reserved.", ""),
    ],
)
def test_a_licence_is_guessed_from_its_words(text: str, guess: str) -> None:
    assert guess_licence(text) == guess


def test_the_licence_file_is_that_of_the_newest_commit(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    texts = {
        "COPYING": "Ask us.",
        "LICENSE.md": "Permission is hereby granted, free of charge",
        "src/LICENSE": "x",
    }
    head = commit(folder, "Start", texts)
    with Blobs(folder) as blobs:
        assert find_licence(folder, head, blobs) == Licence("LICENSE.md", "MIT")
        assert find_licence(folder, commit(folder, "Two", {"LICENSE.md": "Mine."}), blobs).file == "COPYING"
        git(folder, "rm", "--quiet", "COPYING", "LICENSE.md")
        assert find_licence(folder, commit(folder, "Gone", {}), blobs) == Licence("", "")
