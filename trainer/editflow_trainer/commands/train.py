"""The command `editflow train`: learn one repository's history, prove that it helped, and use it by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editflow.errors import EditFlowError
from editflow_trainer import durations

if TYPE_CHECKING:
    from editflow_trainer.personal.options import Method, Options

INSTALLED, KEPT, INTERRUPTED = 0, 1, 130
"""Exit codes; 2 is an error."""
AFTER = 20
"""New commits after which --watch trains again."""
LEAST_BUDGET = 10  # seconds
_OUTER = {"repo", "repos", "watch", "after", "jobs", "engine", "resume", "as_json"}
"""What is no option of the trainings that --watch and --repos start."""


class Engine(StrEnum):
    """Where the histories of --repos are mined."""

    local = "local"
    ray = "ray"


def train(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(metavar="PATH", help="A folder in the repository.")] = Path(),
    since: Annotated[str, typer.Option(metavar="DATE", help="Leave older commits out; a date for git.")] = "",
    paths: Annotated[
        list[str] | None,
        typer.Option(metavar="PATHSPEC", help="Learn from these files only; may be repeated."),
    ] = None,
    author: Annotated[
        str, typer.Option(metavar="PATTERN", help="Learn from these authors' commits only.")
    ] = "",
    max_commits: Annotated[int | None, typer.Option(min=1, metavar="N", help="Newest commits only.")] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="For everything: 90s, 10m, 1h.  [default: 10m; 2m on a GPU]"),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="auto|full|lora", help="Train all weights or low-rank updates; auto goes by size."
        ),
    ] = "auto",
    rank: Annotated[int, typer.Option(min=1, help="Of low-rank updates.")] = 16,
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to start from.")] = "default",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: torch's own]")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be used; train nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was interrupted.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the adapter to DIR; install nothing.")
    ] = None,
    no_outcomes: Annotated[
        bool, typer.Option("--no-outcomes", help="Ignore what was accepted and rejected in editors.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Draws cases and lessons.")] = 0,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and train again in the background after new commits.")
    ] = False,
    after: Annotated[
        int, typer.Option(min=1, metavar="N", help="New commits that --watch waits for.")
    ] = AFTER,
    repos: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Train on each repository that a line of FILE names.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Trainings of --repos at a time.")] = 1,
    engine: Annotated[
        Engine, typer.Option(help="Mine the histories of --repos here, or on a Ray cluster.")
    ] = Engine.local,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; all else to stderr.")
    ] = False,
) -> None:
    """Learn the conventions of a git repository from its history, on this machine.

    Mines the history, trains an adapter, and compares it with the default on the newest commits, which it has not
    seen, and on code that is right. A better one is installed in your data folder and used in this repository from
    now on by editflow fix, the reviewer and the editors. Nothing leaves this machine.

    Exits with 0 if an adapter was installed, with 1 if the default is kept, with 2 if it could not be trained, and
    with 130 if it was interrupted: then the same command with --resume goes on.
    """
    with _needing_extra():
        from editflow_trainer.personal.options import Options

        if watch or repos is not None:
            _refuse(context, several=repos is not None)
        options = Options(
            model=model,
            since=since,
            paths=tuple(paths or ()),
            author=author,
            max_commits=max_commits,
            budget=None if budget is None else _budget(budget),
            device=device,
            threads=threads,
            method=_method(method),
            rank=rank,
            outcomes=not no_outcomes,
            seed=seed,
        )
        if repos is not None:
            raise typer.Exit(_many(repos, typed_options(context), jobs, resume, engine, options))
        if watch:
            raise typer.Exit(_watch(repo, typed_options(context), after))
        if dry_run:
            raise typer.Exit(_show_plan(repo, options, output, as_json))
        raise typer.Exit(_train(repo, options, resume, output, as_json))


def _train(repo: Path, options: Options, resume: bool, output: Path | None, as_json: bool) -> int:
    """The exit code of one training; the page about it is beside the adapter, or else beside what was mined."""
    from editflow.adapters.adapter import REPORT
    from editflow.adapters.store import training_folder
    from editflow_trainer.evaluation.report import standard_error, standard_output
    from editflow_trainer.personal.console import listening
    from editflow_trainer.personal.fit import InterruptedTrainingError
    from editflow_trainer.personal.report import write_report
    from editflow_trainer.personal.run import Training
    from editflow_trainer.personal.summary import result_as_json
    from editflow_trainer.personal.tables import print_result
    from editflow_trainer.personal.target import target_at
    from editflow_trainer.personal.workspace import Workspace

    target = target_at(repo)
    output = None if output is None else output.absolute()
    space = Workspace(training_folder(target.root))
    try:
        with listening(standard_error()) as listener:
            write = partial(write_report, output=output)
            result = Training(target, options, listener, write, output=output).run(resume=resume)
    except (InterruptedTrainingError, KeyboardInterrupt):
        begun = space.read("training") is not None
        _say(f"editflow: stopped{'; the same command with --resume goes on' if begun else ''}")
        return INTERRUPTED
    report = space.report if result.adapter is None else result.adapter.folder / REPORT
    if as_json:
        typer.echo(json.dumps(result_as_json(result, report), indent=2))
    else:
        print_result(result, report, output, standard_output())
    return INSTALLED if result.decision.install else KEPT


def _show_plan(repo: Path, options: Options, output: Path | None, as_json: bool) -> int:
    from editflow_trainer.evaluation.report import standard_error, standard_output
    from editflow_trainer.personal.console import listening
    from editflow_trainer.personal.plan import make_plan
    from editflow_trainer.personal.summary import plan_as_json
    from editflow_trainer.personal.tables import print_plan
    from editflow_trainer.personal.target import target_at

    with listening(standard_error()) as listener:
        plan = make_plan(target_at(repo), options, listener, output)
    if as_json:
        typer.echo(json.dumps(plan_as_json(plan), indent=2))
    else:
        print_plan(plan, standard_output())
    return 0


def _watch(repo: Path, typed: Sequence[str], after: int) -> int:
    from editflow_trainer.personal.target import target_at
    from editflow_trainer.personal.watch import watch

    watch(target_at(repo), after, typed, _say)
    return 0


def _many(file: Path, typed: Sequence[str], jobs: int, resume: bool, engine: Engine, options: Options) -> int:
    from editflow_trainer.evaluation.report import standard_output
    from editflow_trainer.personal.many import exit_code, print_rows, train_many

    ray = options.mining() if engine is Engine.ray else None
    rows = train_many(file, typed, jobs=jobs, resume=resume, ray=ray, say=_say)
    print_rows(rows, standard_output())
    return exit_code(rows)


def _budget(text: str) -> float:
    seconds = durations.seconds(text)
    if seconds < LEAST_BUDGET:
        raise EditFlowError(f"a budget of {text} is too short: give at least {LEAST_BUDGET}s")
    return seconds


def _method(name: str) -> Method:
    from editflow_trainer.personal.options import Method

    try:
        return Method(name)
    except ValueError as error:
        raise EditFlowError(f"there is no method {name!r}: use {', '.join(Method)}") from error


@contextmanager
def _needing_extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise EditFlowError(f"training needs {error.name}; run pip install 'editflow[train]'") from error


def typed_options(context: typer.Context) -> list[str]:
    """The options as they were typed, but those that are not for a single training."""
    found: list[str] = []
    for option in context.command.params:
        name, value = str(option.name), context.params.get(str(option.name))
        source = context.get_parameter_source(name)
        if name not in _OUTER and source is not None and source.name == "COMMANDLINE":
            values = value if isinstance(value, list) else [value]
            for one in values:
                found += [option.opts[-1]] if one is True else [option.opts[-1], str(one)]
    return found


def _refuse(context: typer.Context, *, several: bool) -> None:
    """EditFlowError for options that --watch and --repos do not go with."""
    mode = "--repos" if several else "--watch"
    others = {"dry_run": "--dry-run", "output": "--output", "as_json": "--json"}
    others |= {"repo": "--repo", "watch": "--watch"} if several else {"resume": "--resume"}
    for name, option in others.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise EditFlowError(f"{mode} and {option} do not go together: leave one of them out")


def _say(line: str) -> None:
    typer.echo(line, err=True)
