"""The texts of blobs, read through one `git cat-file --batch` process; the latest are kept for the next commit."""

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from types import TracebackType

from editflow_trainer.mining.git import command, environment
from editflow_trainer.mining.reasons import Reason

MOST_BYTES = 400_000  # larger files are data
MOST_KEPT = 128  # texts
_AT_ONCE = 512  # names that surely fit into a pipe before git must be read


class Blobs:
    """Use as a context; the process ends with it."""

    def __init__(self, repository: Path) -> None:
        arguments = command(repository, "cat-file", "--batch")
        self._git = Popen(
            arguments, env=environment(repository), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, bufsize=1 << 16
        )
        self._kept: OrderedDict[str, str | Reason] = OrderedDict()

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._git.kill()
        self._git.communicate()

    def read(self, names: Iterable[str]) -> list[str | Reason]:
        """The texts in the order of their names, "\\n" line ends; a reason for what is no text to mine."""
        wanted = list(names)
        new = [name for name in dict.fromkeys(wanted) if name not in self._kept]
        for first in range(0, len(new), _AT_ONCE):
            self._fetch(new[first : first + _AT_ONCE])
        for name in wanted:
            self._kept.move_to_end(name)
        found = [self._kept[name] for name in wanted]
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    def _fetch(self, names: list[str]) -> None:
        assert self._git.stdin is not None
        self._git.stdin.write("".join(f"{name}\n" for name in names).encode())
        self._git.stdin.flush()
        for name in names:
            self._kept[name] = self._next()

    def _next(self) -> str | Reason:
        assert self._git.stdout is not None
        head = self._git.stdout.readline().split()
        if len(head) != 3:  # name, kind, size; or name, "missing"
            return Reason.missing
        size = int(head[2])
        if size > MOST_BYTES:
            self._skip(size + 1)
            return Reason.too_large
        return _text(self._git.stdout.read(size + 1)[:-1])

    def _skip(self, size: int) -> None:
        assert self._git.stdout is not None
        while size > 0 and (block := self._git.stdout.read(min(size, 1 << 20))):
            size -= len(block)


def _text(data: bytes) -> str | Reason:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Reason.not_text
    return Reason.not_text if "\0" in text else text.replace("\r\n", "\n")
