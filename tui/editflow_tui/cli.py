"""`editflow-tui`, and `editflow tui`: the options of the reviewer."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.main import get_command

from editflow.console import guarded


def tui(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Files to fix and review.")
    ] = None,
    lines: Annotated[
        str | None, typer.Option("--range", metavar="L1:L2", help="Fix these lines only (the first is 1).")
    ] = None,
    message: Annotated[str, typer.Option(help="Say in words what to change.")] = "",
    patch: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Review this unified diff instead; - reads standard input."),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = "default",
    adapter: Annotated[
        str,
        typer.Option(metavar="auto|none|NAME|FOLDER", help="Adapter to use; auto is the repository's own."),
    ] = "auto",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the attempts after the first.")] = 0,
    theme: Annotated[str | None, typer.Option(metavar="NAME", help="Colours.")] = None,
    daemon: Annotated[
        bool, typer.Option("--daemon/--no-daemon", help="Share the engine with this user's other windows.")
    ] = True,
    check: Annotated[bool, typer.Option("--check", help="Count hunks; exit 1 if there are any.")] = False,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Ignore the repository's configuration.")
    ] = False,
) -> None:
    """Watch fixes come in, and keep or drop each hunk.

    Without a terminal the patch is printed. Exits with 0; with 1 if --check finds something to change; with 2 if
    a file could not be fixed; with 130 if interrupted.
    """
    from editflow.commands.fix_options import Mode, Options, parse_range
    from editflow_tui.session import run

    options = Options(
        mode=Mode.CHECK if check else Mode.DIFF,
        lines=None if lines is None else parse_range(lines),
        message=message,
        model=model,
        adapter=adapter,
        device=device,
        seed=seed,
        isolated=isolated,
    )
    raise typer.Exit(run(files or [], patch, options, theme, daemon=daemon))


def main(args: list[str] | None = None) -> None:
    """Run `editflow-tui ARGS`, which is `editflow tui ARGS` without a look at the other commands, and exit."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(tui)
    guarded(lambda: get_command(app)(args, prog_name="editflow-tui"))
