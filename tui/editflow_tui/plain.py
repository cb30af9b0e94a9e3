"""Where there is no terminal: the patch, or with --check the count, as `editflow fix` would print it."""

from __future__ import annotations

from collections.abc import Sequence

from editflow.commands.fix_files import fix_files, print_diff
from editflow.commands.fix_options import PROPOSED, Mode, Options
from editflow.document import shown
from editflow.proposal import Proposal
from editflow.render.flow import count


def print_fixes(names: Sequence[str], options: Options) -> int:
    """Fix the files and print what is proposed; the exit code."""
    return fix_files(names, options)


def print_proposals(proposals: Sequence[Proposal], mode: Mode) -> int:
    """Print proposals that are there already; the exit code."""
    found = [proposal for proposal in proposals if proposal.hunks]
    for proposal in found:
        if mode is Mode.CHECK:
            print(f"{shown(proposal.document.path)}: {count(proposal.hunks)}")
        else:
            print_diff(proposal)
    return PROPOSED if found and mode is Mode.CHECK else 0
