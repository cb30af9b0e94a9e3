"""From functions and mined edits to shards: `python -m editflow_trainer.data.preparation functions|mined|info ...`.

What an example gets is drawn from its own text, so the same input gives the same shards on any machine and with any
number of workers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow_trainer.corpus import read_functions
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.example import Example
from editflow_trainer.data.functions import KINDS, function_example
from editflow_trainer.data.header import Header, Vocabulary
from editflow_trainer.data.mined import mined_example
from editflow_trainer.data.packing import LARGEST
from editflow_trainer.data.shards import SUFFIX, open_shards
from editflow_trainer.data.writing import EXAMPLES_A_FRAME, Packed, ShardWriter, pack_frame
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.parquet import read_edits
from editflow_trainer.sources import SourceFunction

Item = TypeVar("Item")
MEBIBYTE = 2**20
WAVE = 16
"""Frames that a worker makes before the next ones are read."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where shards go, and in which form."""

    folder: Path
    tokenizer: Path
    codec: Codec = Codec.zstd
    seed: int = 0
    workers: int = 2
    shard_bytes: int = 16 * MEBIBYTE
    """Most bytes of one file."""
    most_bytes: int = 64 * MEBIBYTE
    """Of all files of one call; what comes after is not prepared."""


def prepare_functions(
    functions: Path, output: Output, *, first: int = 0, most: int | None = None
) -> Counter[str]:
    """Shards `functions-*.efs` of functions first .. first + most of a corpus; returns counts by source."""
    chosen = islice(read_functions(functions), first, None if most is None else first + most)
    return write_frames(
        output, "functions", chosen, partial(_function_frame, output.tokenizer, output.codec, output.seed)
    )


def prepare_mined(folders: Iterable[Path], output: Output) -> Counter[str]:
    """Shards `mined-*.efs` of the Python functions in folders of `editflow mine`; returns counts by source."""
    files = [file for folder in folders for file in sorted((folder / "edits").glob("*.parquet"))]
    if not files:
        raise EditFlowError("no mined edits in these folders; run `editflow mine` first")
    edits = (edit for file in files for edit in read_edits(file))
    return write_frames(
        output, "mined", edits, partial(_mined_frame, output.tokenizer, output.codec, output.seed)
    )


def vocabulary(file: Path) -> Vocabulary:
    """What shards keep of a tokenizer."""
    tokenizer = cached_tokenizer(file)
    if tokenizer.size > LARGEST + 1:
        raise EditFlowError(f"{file} has {tokenizer.size} tokens; shards hold ids below {LARGEST + 1}")
    separator = tuple(tokenizer.encode("; ").ids)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Vocabulary(tokenizer.size, digest, tuple(sorted(tokenizer.line_ends)), separator)


def write_frames(
    output: Output, stem: str, items: Iterable[Item], make: Callable[[list[Item]], Packed | None]
) -> Counter[str]:
    """Shards `stem-*.efs` of what `make`, which must be picklable, makes of items; returns counts by source."""
    header = Header(output.codec, vocabulary(output.tokenizer), tuple(KINDS))
    writer = ShardWriter(output.folder, stem, header, output.shard_bytes)
    counts = Counter[str]()
    for frame in _frames(items, make, output.workers):
        if writer.size + len(frame.data) > output.most_bytes:
            break
        writer.add(frame)
        counts += frame.sources
    writer.close()
    return counts


def _frames(
    items: Iterable[Item], make: Callable[[list[Item]], Packed | None], workers: int
) -> Iterator[Packed]:
    """Frames in order, made in waves so that the items ahead stay few."""
    chunks = _chunks(items)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        while wave := list(islice(chunks, WAVE * workers)):
            yield from (frame for frame in pool.imap(make, wave) if frame is not None)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, EXAMPLES_A_FRAME)):
        yield chunk


@cache
def cached_tokenizer(file: Path) -> CodeTokenizer:
    """The tokenizer in a file, read once by each process."""
    return CodeTokenizer.from_file(file)


def _function_frame(
    tokenizer: Path, codec: Codec, seed: int, functions: list[SourceFunction]
) -> Packed | None:
    made = ((f.package, function_example(f, cached_tokenizer(tokenizer), seed)) for f in functions)
    return packed(made, codec)


def _mined_frame(tokenizer: Path, codec: Codec, seed: int, edits: list[MinedEdit]) -> Packed | None:
    made = ((e.repository, mined_example(e, cached_tokenizer(tokenizer), seed)) for e in edits)
    return packed(made, codec)


def packed(made: Iterable[tuple[str, Example | None]], codec: Codec) -> Packed | None:
    """A frame of the examples among them; None where there are none."""
    return pack_frame(((name, example) for name, example in made if example), tuple(KINDS), codec)


def info(folder: Path) -> dict[str, object]:
    """What a folder of shards holds."""
    headers = [shard.header for shard in open_shards(folder)]
    total = Counter[str]()
    for header in headers:
        total.update(header.streams)
    return {
        "files": len(headers),
        "bytes": sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}")),
        "examples": sum(header.examples for header in headers),
        **total,
        "sources": len({name for header in headers for name in header.sources}),
    }


def main() -> None:
    """Command line of the preparation."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, places in (("functions", 1), ("mined", "+")):
        command = commands.add_parser(name)
        command.add_argument("inputs", type=Path, nargs=places)
        command.add_argument("tokenizer", type=Path)
        command.add_argument("out", type=Path)
        command.add_argument("--codec", type=Codec, choices=list(Codec), default=Codec.zstd)
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--workers", type=int, default=2)
        command.add_argument("--shard-mib", type=int, default=16)
        command.add_argument("--most-mib", type=int, default=64)
        if name == "functions":
            command.add_argument("--first", type=int, default=0)
            command.add_argument("--most", type=int)
    commands.add_parser("info").add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.command == "info":
        print(json.dumps(info(options.folder)))
        return
    output = Output(
        options.out,
        options.tokenizer,
        options.codec,
        options.seed,
        options.workers,
        options.shard_mib * MEBIBYTE,
        options.most_mib * MEBIBYTE,
    )
    if options.command == "functions":
        counts = prepare_functions(options.inputs[0], output, first=options.first, most=options.most)
    else:
        counts = prepare_mined(options.inputs, output)
    print(json.dumps({"examples": counts.total(), "sources": len(counts)}))


if __name__ == "__main__":
    main()
