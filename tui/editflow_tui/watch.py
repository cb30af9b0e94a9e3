"""Says which of some files may have changed outside.

A file is replaced more often than it is written to, and who watches the file itself sees no more of it then, so that
folders are watched: the file's own, and for a symbolic link that of what it points at.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from editflow.errors import EditFlowError

DEBOUNCE, PAUSE = 100, 20
"""Milliseconds: most that changes are collected, and how long none may come for them to be told at once."""

Places = dict[str, tuple[Path, ...]]
"""Real paths whose folders are watched, and the files, as they were given, that each of them concerns."""


class WatchError(EditFlowError):
    """Files that are watched no more."""


async def changes(paths: Iterable[Path]) -> AsyncIterator[Path]:
    """Yield a path, as it was given, whenever its bytes may have changed: written, replaced, deleted, made again.

    What changed before the first path was waited for is not told, and a writer's own changes are. It ends with
    WatchError when the last folder is gone.
    """
    files = tuple(dict.fromkeys(paths))
    while places := _places(files):
        try:
            async with aclosing(_batches(places)) as batches:
                async for batch in batches:
                    now = _places(files)
                    moved = places.items() ^ now.items()
                    changed = {path for name in batch for path in places.get(name, ())}
                    changed.update(path for _, concerned in moved for path in concerned)
                    for path in (path for path in files if path in changed):
                        yield path
                    if moved:
                        break
        except (OSError, RuntimeError) as error:
            raise WatchError(f"changes outside are not seen: {error}; reload by hand") from error
    raise WatchError("the folder is gone: changes outside are no longer seen")


async def _batches(places: Places) -> AsyncGenerator[list[str]]:
    """Real paths of places, or of their folders, that changed at about the same time."""
    folders = {os.path.dirname(place) for place in places}

    def is_wanted(_: Change, path: str) -> bool:
        return path in places or path in folders

    watched = awatch(*sorted(folders), watch_filter=is_wanted, debounce=DEBOUNCE, step=PAUSE, recursive=False)
    async with aclosing(watched) as batches:
        async for batch in batches:
            yield [path for _, path in batch]


def _places(files: Sequence[Path]) -> Places:
    """The places in folders that exist; both ends of a symbolic link are one."""
    places: Places = {}
    for file in files:
        for end in dict.fromkeys((os.path.abspath(file), os.path.realpath(file))):
            folder = os.path.realpath(os.path.dirname(end))
            if os.path.isdir(folder):
                place = os.path.join(folder, os.path.basename(end))
                places[place] = (*places.get(place, ()), file)
    return places
