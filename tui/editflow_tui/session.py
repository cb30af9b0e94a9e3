"""From options to a review: reads the files or the patch, and opens the reviewer where there is a terminal."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from editflow.commands.fix_options import FAILED, STDIN, Mode, Options, UsageError
from editflow.commands.read_files import complain, read_all, say
from editflow.document import shown
from editflow.errors import EditFlowError
from editflow.proposal import HunkState, Proposal

if TYPE_CHECKING:
    from editflow.adapters.choice import Chosen
    from editflow_tui.app import Reviewer
    from editflow_tui.personal import Personal
    from editflow_tui.runner import Find

Named = list[tuple[str, Proposal]]


def run(names: Sequence[str], patch: str | None, options: Options, theme: str | None, *, daemon: bool) -> int:
    """Review fixes of files, or a patch; the exit code. EditFlowError where the options cannot be followed."""
    _check(names, patch, theme)
    if patch is not None:
        from editflow_tui.patches import read_patch

        proposals = read_patch(_bytes_of(patch), Path.cwd(), say)
        if options.mode is Mode.CHECK or not has_terminal(reopen=patch == STDIN):
            from editflow_tui.plain import print_proposals

            return print_proposals(proposals, options.mode)
        named = [(_name(proposal.document.path), proposal) for proposal in proposals]
        return _review(named, options, theme, daemon=daemon, fixes=False) if named else 0
    if options.mode is Mode.CHECK or not has_terminal():
        from editflow_tui.plain import print_fixes

        return print_fixes(names, options)
    documents, failed = read_all(names, options)
    named = [(name, Proposal(document, ())) for name, document in documents.items()]
    code = _review(named, options, theme, daemon=daemon, fixes=True) if named else 0
    return code or (FAILED if failed else 0)


def has_terminal(*, reopen: bool = False) -> bool:
    """Whether a person can see and answer; `reopen` takes the keys from the terminal, standard input being read."""
    shows = sys.stdout.isatty() and sys.stderr.isatty()  # Textual draws on standard error
    if not shows or os.environ.get("TERM") == "dumb":
        return False
    if not reopen or sys.stdin.isatty():
        return sys.stdin.isatty()
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    return True


def _name(path: Path | None) -> str:
    """From here, where it is below."""
    here = Path.cwd()
    return shown(path.relative_to(here) if path is not None and path.is_relative_to(here) else path)


def _check(names: Sequence[str], patch: str | None, theme: str | None) -> None:
    if bool(names) == (patch is not None):
        raise UsageError("name the files to fix, or one patch with --patch")
    if STDIN in names:
        raise UsageError("standard input cannot be reviewed: give a file, or use editflow fix -")
    if theme is not None:
        from textual.theme import BUILTIN_THEMES

        if theme not in BUILTIN_THEMES:
            raise UsageError(f"--theme {theme!a} is unknown: use one of {', '.join(BUILTIN_THEMES)}")


def _bytes_of(patch: str) -> bytes:
    if patch == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(patch).read_bytes()
    except OSError as error:
        raise EditFlowError(f"{shown(Path(patch))}: cannot be read: {error.strerror}") from error


def _review(named: Named, options: Options, theme: str | None, *, daemon: bool, fixes: bool) -> int:
    gc.disable()  # a fifth of the time until the first screen, which turns it on: imports leave no garbage
    try:
        from editflow_tui.personal import personal_path, read_personal

        personal = read_personal(personal_path())
        app = _reviewer(named, options, personal, daemon=daemon, fixes=fixes)
        if theme is not None:
            app.theme = theme
        code = app.run()
    finally:
        gc.enable()
    if personal.record_outcomes:
        _keep_rejections(app, options)
    return app.return_code or 0 if code is None else code


def _keep_rejections(app: Reviewer, options: Options) -> None:
    from editflow_tui.recording import keep

    try:
        keep(app.review.files, HunkState.REJECTED, options.message)
    except EditFlowError as error:
        complain(error)


def _finder(options: Options) -> Find:
    """Looks up adapters as the options say; EditFlowError at once where one that is named cannot be used."""
    from editflow.adapters.choice import AUTO, NONE, choose
    from editflow.checkpoint import Checkpoint

    def find(path: Path | None) -> Chosen:
        return choose(options.adapter, path, Checkpoint.read(options.model))

    if options.adapter not in (AUTO, NONE):
        find(None)
    return find


def _reviewer(named: Named, options: Options, personal: Personal, *, daemon: bool, fixes: bool) -> Reviewer:
    from textual import constants

    from editflow.resident.place import EngineChoice
    from editflow_tui.app import Reviewer
    from editflow_tui.review import open_review
    from editflow_tui.runner import Runner

    choice = EngineChoice(options.model, options.device)
    if fixes:
        _ = choice.identity  # a checkpoint that is not there is said before anything is shown
    find = _finder(options)
    return Reviewer(
        open_review(named, seed=options.seed, is_still=constants.TEXTUAL_ANIMATIONS == "none"),
        options,
        personal,
        lambda post: Runner(choice, post, daemon=daemon, find=find),
        fixes=fixes,
    )
