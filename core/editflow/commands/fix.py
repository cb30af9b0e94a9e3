"""`editflow fix`: proposes fixes for files or standard input and prints, checks or writes them."""

from typing import Annotated

import typer


def fix(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to fix; - fixes standard input.")],
    lines: Annotated[
        str | None, typer.Option("--range", metavar="L1:L2", help="Fix these lines only (the first is 1).")
    ] = None,
    message: Annotated[str, typer.Option(help="Say in words what to change.")] = "",
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = "default",
    adapter: Annotated[
        str,
        typer.Option(
            metavar="auto|none|NAME|FOLDER",
            help="What editflow train has learnt: of each file's repository, or one by name or ./folder.",
        ),
    ] = "auto",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    candidates: Annotated[int, typer.Option(help="Attempts; the best one is proposed.")] = 1,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="passes|ctmc", help="Deterministic passes, or the continuous-time Markov chain."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Passes at most; of ctmc, Euler steps.  [default: 8; 64]")
    ] = None,
    guidance: Annotated[
        float, typer.Option(metavar="G", help="Follow diagnostics and --message more closely (ctmc only).")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the attempts after the first.")] = 0,
    threshold: Annotated[
        float | None,
        typer.Option(metavar="P", help="Least confidence of a hunk, 0 to 1; by default the checkpoint's."),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Print a patch: the default for files.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Change the files.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Count hunks; exit 1 if there are any.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")] = False,
    show_flow: Annotated[bool, typer.Option("--show-flow", help="Show the passes.")] = False,
    heatmap: Annotated[bool, typer.Option("--heatmap", help="Show where edits seem due.")] = False,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Ignore the repository's configuration.")
    ] = False,
) -> None:
    """Propose fixes as a patch, or for standard input print the fixed text.

    Exits with 0; with 1 if --check finds something to change; with 2 if a file could not be fixed, after
    going on with the others. Files that the repository's configuration leaves out are skipped, which is
    said on standard error. --show-flow and --heatmap print to standard error if standard output is not a
    terminal.
    """
    from editflow.commands.fix_files import fix_files
    from editflow.commands.fix_options import STDIN, Mode, Options, UsageError, choose_mode, parse_range

    given = {Mode.DIFF: diff, Mode.WRITE: write, Mode.CHECK: check, Mode.JSON: json}
    options = Options(
        mode=choose_mode([mode for mode, chosen in given.items() if chosen], from_stdin=STDIN in files),
        lines=None if lines is None else parse_range(lines),
        message=message,
        model=model,
        adapter=adapter,
        device=device,
        candidates=candidates,
        sampler=sampler,
        steps=steps,
        guidance=guidance,
        seed=seed,
        threshold=threshold,
        show_flow=show_flow,
        heatmap=heatmap,
        isolated=isolated,
    )
    if STDIN in files and len(files) > 1:
        raise UsageError("- cannot be combined with files: give one or the other")
    raise typer.Exit(fix_files(files, options))
