"""The texts of blobs, read through one `git cat-file --batch` process; the latest are kept for the next commit."""

from collections import OrderedDict
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from types import TracebackType

from editflow.errors import EditFlowError
from editflow_trainer.mining.git import command, environment
from editflow_trainer.mining.reasons import Reason

MOST_BYTES = 400_000  # larger files are data
MOST_KEPT = 128  # texts
_AT_ONCE = 512  # names that surely fit into a pipe before git must be read


class Blobs:
    """Use as a context; the process ends with it."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        with ExitStack() as stack:
            self._complaints = stack.enter_context(TemporaryFile())
            self._git = self._start()
            self._open = stack.pop_all()
        self._kept: OrderedDict[str, str | Reason] = OrderedDict()

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._git.kill()
        self._git.communicate()
        self._open.close()

    def read(self, names: Iterable[str]) -> list[str | Reason]:
        """The texts in the order of their names, "\\n" line ends; a reason for what is no text to mine.

        Raises:
            EditFlowError: git gives up, as it does at a damaged object.
        """
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

    def _start(self) -> Popen[bytes]:
        return Popen(
            command(self._repository, "cat-file", "--batch"),
            env=environment(self._repository),
            stdin=PIPE,
            stdout=PIPE,
            stderr=self._complaints,
            bufsize=1 << 16,
        )

    def _fetch(self, names: list[str]) -> None:
        """Where git ends at an object that a partial clone lacks, as before 2.45, another one goes on behind it."""
        done = 0
        while done < len(names):
            try:
                self._ask(names[done:])
                for name in names[done:]:
                    self._kept[name] = self._next()
                    done += 1
            except EOFError as error:
                self._git.communicate()
                reason = self._reason()
                if "promisor" not in reason:
                    raise EditFlowError(
                        f"git cannot read all of {self._repository} ({reason}): run git fsck there"
                    ) from error
                self._kept[names[done]] = Reason.missing
                done += 1
                self._git = self._start()

    def _ask(self, names: list[str]) -> None:
        assert self._git.stdin is not None
        with suppress(BrokenPipeError):  # what git answered before it ended is still to be read
            self._git.stdin.write("".join(f"{name}\n" for name in names).encode())
            self._git.stdin.flush()

    def _next(self) -> str | Reason:
        assert self._git.stdout is not None
        line = self._git.stdout.readline()
        if not line:
            raise EOFError
        head = line.split()
        if len(head) != 3:  # name, kind, size; or name, "missing"
            return Reason.missing
        size = int(head[2])
        if size > MOST_BYTES:
            self._skip(size + 1)
            return Reason.too_large
        data = self._git.stdout.read(size + 1)
        if len(data) <= size:
            raise EOFError
        return _text(data[:-1])

    def _reason(self) -> str:
        """The last words of a git that has ended."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("fatal: ") if lines else f"it ended with code {self._git.returncode}"

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
