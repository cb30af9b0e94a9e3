"""Builds the corpus: functions of the standard library and of pinned packages, as JSON lines.

Only wheels are downloaded and only their `*.py` files are unpacked, so no foreign code ever runs.
Functions that occur twice, or in evaluation data, are dropped; the order is by digest, hence shuffled
and the same on every run.
"""

import argparse
import ast
import hashlib
import json
import logging
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from editflow.errors import EditFlowError
from editflow_trainer.sources import SourceFunction, body_statements, functions_under

FUNCTIONS = "functions.jsonl"
MIN_BODY = 12  # words and signs: shorter bodies coincide by chance
MAX_FILE = 1_000_000  # bytes; larger modules are tables of data

_COMMENT = re.compile(r"#[^\n]*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_EVALUATION_FIELDS = ("before", "after", "prelude", "text")
_log = logging.getLogger(__name__)


def build_corpus(packages_file: Path, out: Path, *, stdlib: bool, exclude: Sequence[Path] = ()) -> int:
    """Writes `out/functions.jsonl` and returns the number of functions in it.

    Packages that were unpacked under `out/packages` before are not downloaded again. `exclude` names
    folders of `*.jsonl`, evaluation data or another corpus, whose functions must not occur in this one, in
    whole or as a body.

    Raises:
        EditFlowError: the packages file is malformed or a folder to exclude has no data.
    """
    seen = _evaluation_digests(exclude)
    folders = [fetch_package(pin, out / "packages") for pin in read_pins(packages_file)]
    sources = [(folder.name, folder) for folder in folders if folder is not None]
    if stdlib:
        sources.append(("python", Path(sysconfig.get_path("stdlib"))))
    rows: list[tuple[bytes, str]] = []
    for package, folder in sources:
        for function in functions_under(folder, package=package):
            digests = function_digests(function.header + function.text)
            if seen.isdisjoint(digests):
                seen.add(digests[0])
                rows.append((digests[0], json.dumps(asdict(function), ensure_ascii=False)))
        _log.info("%s: %d functions so far", package, len(rows))
    _write_rows(rows, out / FUNCTIONS)
    return len(rows)


def read_functions(path: Path) -> Iterator[SourceFunction]:
    """Yields the functions of a corpus file in its order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield SourceFunction(**{**row, "module_names": tuple(row["module_names"])})


def read_pins(path: Path) -> list[str]:
    """The `name==version` lines of a packages file.

    Raises:
        EditFlowError: a line is neither a pin nor a comment.
    """
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    pins = [line for line in lines if line]
    for pin in pins:
        if not re.fullmatch(r"[\w.-]+==[\w.!+]+", pin):
            raise EditFlowError(f"{path}: {pin!r} is not a pin; write name==version")
    return pins


def fetch_package(pin: str, packages: Path) -> Path | None:
    """Downloads the wheel of `name==version` and unpacks its Python files into `packages/name`.

    A package without a wheel is reported in the log and gives None.
    """
    name, _, version = pin.partition("==")
    folder, stamp = packages / name, packages / f"{name}.version"
    if stamp.is_file() and stamp.read_text("utf-8") == version:
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*command, "--dest", scratch, pin], capture_output=True, text=True, check=False)
        if done.returncode:
            _log.warning("%s left out: %s", pin, done.stderr.strip().rpartition("\n")[2])
            return None
        shutil.rmtree(folder, ignore_errors=True)
        for wheel in Path(scratch).glob("*.whl"):
            unpack_sources(wheel, folder)
    stamp.write_text(version, "utf-8")
    return folder


def unpack_sources(wheel: Path, folder: Path) -> None:
    """Unpacks the `*.py` files of a wheel, except those whose path would leave `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            safe = not path.is_absolute() and ".." not in path.parts and "\\" not in member.filename
            if safe and path.suffix == ".py" and member.file_size <= MAX_FILE:
                archive.extract(member, folder)


def function_digests(source: str) -> list[bytes]:
    """Digests of every function in `source` and of its body, outermost function first.

    Comments and spacing do not count; a source that does not parse gives one digest of the whole.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [_digest(source)[0]]
    lines = source.split("\n")
    digests = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            digests.append(_digest("\n".join(lines[node.lineno - 1 : node.end_lineno]))[0])
            body = body_statements(node)
            text = "\n".join(lines[body[0].lineno - 1 : node.end_lineno]) if body else ""
            digest, size = _digest(text)
            digests += [digest] if size >= MIN_BODY else []
    return digests


def _write_rows(rows: list[tuple[bytes, str]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.sort()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{row}\n" for _, row in rows)


def _evaluation_digests(folders: Iterable[Path]) -> set[bytes]:
    digests: set[bytes] = set()
    for row in evaluation_rows(folders):
        for field in _EVALUATION_FIELDS:
            digests.update(function_digests(row.get("header", "") + (row.get(field) or "")))
    return digests


def evaluation_rows(folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The rows of all *.jsonl under the folders; EditFlowError where there are none, or one is no JSON."""
    for folder in folders:
        files = sorted(folder.rglob("*.jsonl"))
        if not files:
            raise EditFlowError(f"{folder} has no *.jsonl to exclude; check the path")
        for file in files:
            with file.open(encoding="utf-8") as rows:
                for number, row in enumerate(rows, start=1):
                    try:
                        yield json.loads(row)
                    except json.JSONDecodeError as error:
                        raise EditFlowError(f"{file}:{number} is no JSON; nothing was excluded") from error


def _digest(text: str) -> tuple[bytes, int]:
    tokens = _TOKEN.findall(_COMMENT.sub("", text))
    return hashlib.sha256(" ".join(tokens).encode("utf-8", "surrogatepass")).digest(), len(tokens)


def main() -> None:
    """Command line: `python -m editflow_trainer.corpus --packages FILE --out DIR`."""
    parser = argparse.ArgumentParser(description=build_corpus.__doc__)
    parser.add_argument("--packages", type=Path, required=True, help="file of name==version lines")
    parser.add_argument("--out", type=Path, required=True, help="folder for functions.jsonl and packages")
    parser.add_argument("--no-stdlib", action="store_true", help="leave the standard library out")
    parser.add_argument(
        "--exclude", type=Path, action="append", default=[], help="folder of *.jsonl; may be given again"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        count = build_corpus(
            options.packages, options.out, stdlib=not options.no_stdlib, exclude=options.exclude
        )
    except EditFlowError as error:
        raise SystemExit(str(error)) from error
    print(f"{count} functions in {options.out / FUNCTIONS}")


if __name__ == "__main__":
    main()
