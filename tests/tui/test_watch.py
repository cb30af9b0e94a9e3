"""Changes made outside: written, replaced, deleted, through links, and until the folder is gone."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from editflow_tui.watch import WatchError, changes

pytestmark = pytest.mark.asyncio


SETTLED = 0.06
"""Seconds after which all that was changed has been told."""


class Seen:
    """What a watcher of some files has told."""

    def __init__(self, *files: Path) -> None:
        self.paths: list[Path] = []
        self.error: WatchError | None = None
        self.task = asyncio.create_task(self._watch(files))

    async def _watch(self, files: tuple[Path, ...]) -> None:
        try:
            async for path in changes(files):
                self.paths.append(path)
        except WatchError as error:
            self.error = error

    async def told(self, change: Callable[[], object], *paths: Path) -> None:
        """A change is told as one of these and of nothing else; made again while nobody may be looking yet."""
        self.paths.clear()
        async with asyncio.timeout(10):
            while not set(paths) <= set(self.paths):
                change()
                with suppress(TimeoutError):
                    await eventually(lambda: set(paths) <= set(self.paths), within=0.5)
        await asyncio.sleep(SETTLED)
        assert set(self.paths) == set(paths)

    async def quiet(self, change: Callable[[], object]) -> None:
        """A change is not told."""
        self.paths.clear()
        change()
        await asyncio.sleep(3 * SETTLED)
        assert self.paths == []


async def eventually(happened: Callable[[], object], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not happened():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(*files: Path) -> AsyncIterator[Seen]:
    """A watcher that is known to have started."""
    seen = Seen(*files)
    try:
        await asyncio.sleep(SETTLED)
        await seen.told(lambda: files[0].write_text("x"), files[0])
        yield seen
    finally:
        seen.task.cancel()
        with suppress(asyncio.CancelledError):
            await seen.task


def replace(path: Path, text: str) -> None:
    """As editors save: all of it or nothing."""
    temporary = path.with_name(".new")
    temporary.write_text(text)
    os.replace(temporary, path)


def replace_all(paths: list[Path], text: str) -> None:
    for path in paths:
        replace(path, text)


async def test_writing_replacing_deleting_and_making_it_again(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    async with watching(file) as seen:
        await seen.told(lambda: file.write_text("1"), file)
        await seen.told(lambda: replace(file, "2"), file)
        await seen.told(lambda: replace(file, "3"), file)
        await seen.told(lambda: file.unlink(missing_ok=True), file)
        await seen.told(lambda: file.write_text("4"), file)


async def test_other_files_of_the_folder_are_not_told(tmp_path: Path) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    async with watching(first, second) as seen:
        await seen.quiet(lambda: (tmp_path / "c.py").write_text("1"))
        await seen.quiet((tmp_path / "folder").mkdir)
        await seen.told(lambda: second.write_text("1"), second)


async def test_files_of_several_folders(tmp_path: Path) -> None:
    files = [tmp_path / name / "a.py" for name in ("one", "two")]
    for file in files:
        file.parent.mkdir()
    async with watching(*files) as seen:
        await seen.told(lambda: replace_all(files, "1"), *files)


async def test_a_path_is_told_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("a.py")
    async with watching(file) as seen:
        await seen.told(lambda: file.write_text("1"), file)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
async def test_a_link_changes_with_its_target_and_when_it_points_elsewhere(tmp_path: Path) -> None:
    link, targets = tmp_path / "links" / "a.py", [tmp_path / name / "a.py" for name in ("one", "two")]
    for target in (link, *targets):
        target.parent.mkdir()
    for target in targets:
        target.write_text("0")
    link.symlink_to(targets[0])

    def point_elsewhere() -> None:
        link.unlink()
        link.symlink_to(targets[1])

    async with watching(link) as seen:
        await seen.told(lambda: replace(targets[0], "1"), link)
        await seen.told(point_elsewhere, link)
        await seen.told(lambda: replace(targets[1], "2"), link)
        await seen.quiet(lambda: replace(targets[0], "3"))


async def test_it_ends_with_words_when_the_last_folder_is_gone(tmp_path: Path) -> None:
    kept, lost = tmp_path / "kept" / "a.py", tmp_path / "lost" / "a.py"
    for file in (kept, lost):
        file.parent.mkdir()
    async with watching(lost, kept) as seen:
        await seen.told(lambda: shutil.rmtree(lost.parent, ignore_errors=True), lost)
        await seen.told(lambda: kept.write_text("1"), kept)
        assert seen.error is None
        await seen.told(lambda: shutil.rmtree(kept.parent, ignore_errors=True), kept)
        await eventually(lambda: seen.error)
        assert "gone" in str(seen.error)


async def test_a_folder_that_is_moved_away(tmp_path: Path) -> None:
    file = tmp_path / "here" / "a.py"
    file.parent.mkdir()
    async with watching(file) as seen:
        file.parent.rename(tmp_path / "there")
        await eventually(lambda: seen.error)
        assert file in seen.paths


async def test_a_folder_that_never_was(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "none" / "a.py")
    await eventually(lambda: seen.error)
    await seen.task
