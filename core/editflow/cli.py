"""The `editflow` command: one group whose subcommands any of our packages may add.

Subcommands are the plain typed functions named in the entry-point group `editflow.commands`, or groups of
such functions (`command_family`). Each is imported when it is first looked at, so calling one never pays for
another, and none imports torch before it runs.
"""

from collections import UserDict
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from editflow import __version__
from editflow.console import guarded
from editflow.errors import EditFlowError

# Plain help: a docstring is text, never markup, and rich costs 20 ms.
_STYLE: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None}


class LazyCommands(UserDict[str, Any]):
    """Commands by name, held as entry points until they are looked up."""

    def __getitem__(self, name: str) -> Any:
        if isinstance(point := super().__getitem__(name), EntryPoint):
            self.data[name] = _command(point)
        return self.data[name]


def _command(point: EntryPoint) -> Any:
    try:
        loaded = point.load()
    except ImportError as error:
        message = f"{point.name!r} cannot be imported ({error}); reinstall the package that brings it"
        raise EditFlowError(message) from error
    if isinstance(loaded, typer.Typer):
        return get_command(loaded)
    app = typer.Typer(**_STYLE)
    app.command(point.name)(loaded)
    return get_command(app)


def command_family(summary: str) -> typer.Typer:
    """An empty group of commands that is a subcommand itself: `editflow NAME COMMAND`."""
    return typer.Typer(help=summary, no_args_is_help=True, **_STYLE)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"editflow {__version__}")
        raise typer.Exit


def _editflow(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Fix code by editing it, hunk by hunk."""


def command_group() -> TyperGroup:
    """The group with every installed subcommand, none of them imported yet."""
    settings = {"help_option_names": ["-h", "--help"]}
    app = typer.Typer(no_args_is_help=True, context_settings=settings, **_STYLE)
    app.callback()(_editflow)
    group = get_group(app)
    group.commands = LazyCommands({point.name: point for point in entry_points(group="editflow.commands")})
    return group


def main(args: list[str] | None = None) -> None:
    """Run `editflow ARGS` and exit: 2 for an EditFlowError or wrong usage, 130 when interrupted."""
    guarded(lambda: command_group()(args, prog_name="editflow"))
