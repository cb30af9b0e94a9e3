"""The command `editflow mine`: edits from the histories of git repositories, as Parquet files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from editflow.errors import EditFlowError


class Engine(StrEnum):
    """Where repositories are read."""

    local = "local"
    ray = "ray"


def mine(
    repositories: Annotated[
        list[Path], typer.Argument(metavar="REPO...", help="Folders of git, bare or with a working tree.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for shards and manifest; kept.")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Repositories read at a time.")] = 1,
    engine: Annotated[Engine, typer.Option(help="Processes here, or a Ray cluster.")] = Engine.local,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Commits of a repository, newest first.  [default: all]")
    ] = None,
    since: Annotated[str, typer.Option(metavar="DATE", help="Leave older commits out; a date for git.")] = "",
    paths: Annotated[
        list[str] | None,
        typer.Option(metavar="PATHSPEC", help="Mine these files only, from the top; may be repeated."),
    ] = None,
    author: Annotated[
        str, typer.Option(metavar="PATTERN", help="Mine the commits of these authors only.")
    ] = "",
    exclude: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder of *.jsonl evaluation data to keep out; may be repeated."),
    ] = None,
    reserved: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="File of owner/name lines never to mine; may be repeated."),
    ] = None,
    diagnostics: Annotated[
        bool, typer.Option("--diagnostics", help="Count the complaints about each Python edit.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the kinds of fixes.")] = None,
) -> None:
    """Mine the edits of commits: changed functions, and hunks of all other code.

    What DIR already holds of a repository's newest commit is kept. Nothing is checked out, fetched or run.
    """
    try:
        from editflow_trainer.mining import cluster, miner, pool, report, repository, settings
    except ModuleNotFoundError as error:
        raise EditFlowError(f"mining needs {error.name}; run pip install 'editflow[train]'") from error
    from editflow_trainer.evaluation.report import standard_output

    found = [repository.Repository.at(folder) for folder in repositories]
    names = frozenset[str]().union(*map(repository.read_reserved, reserved or ()))
    for one in found:
        repository.refuse_reserved(one, names)
    run = miner.mine_all(
        found,
        out,
        settings.Settings(since, limit, diagnostics, tuple(paths or ()), author),
        exclude=exclude or (),
        workers=workers,
        engine=cluster.run_jobs_on_ray if engine is Engine.ray else pool.run_jobs,
        say=lambda line: typer.echo(line, err=True),
    )
    report.print_report(run.store.entries, standard_output())
    if plot is not None:
        report.plot_kinds(report.count_kinds(run.store.entries.values()), plot)
    if run.failures:
        raise EditFlowError(f"{len(run.failures)} of {len(found)} repositories failed; see above")
