"""`editflow adapters`: what was learnt from repositories, listed, chosen, handed on and removed."""

import json as json_format
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editflow.cli import command_family

if TYPE_CHECKING:
    from editflow.adapters.adapter import Adapter
    from editflow.adapters.store import AdapterStore

DAMAGED = 2  # exit code
DEFAULT = "none"
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or how it begins.")]
Repository = Annotated[
    Path | None,
    typer.Option("--repo", metavar="PATH", help="The repository; by default the one around here."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object an adapter.")]

adapters = command_family("List, choose, hand on or remove what editflow train has learnt from repositories.")


@adapters.command("list")
def list_adapters(json: Json = False) -> None:
    """List all adapters, the newest of each repository first; exit with 2 if one is damaged."""
    from editflow.adapters.store import AdapterStore
    from editflow.commands.adapter_report import AdapterReport
    from editflow.commands.read_files import say

    stored = AdapterStore().repositories()
    for repository in stored:
        for adapter in repository.adapters:
            report = AdapterReport.of(adapter, in_use=adapter == repository.chosen)
            print(json_format.dumps(report.as_json()) if json else report.line())
    problems = [problem for repository in stored for problem in repository.problems]
    for problem in problems:
        say(problem)
    if not stored:
        print("no adapter is kept: editflow train makes one for a repository", file=sys.stderr)
    raise typer.Exit(DAMAGED if problems else 0)


@adapters.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Its name, or how it begins; by default the one in use here."),
    ] = None,
    json: Json = False,
) -> None:
    """Show an adapter: what it was trained on, whether it helped, where it is."""
    from editflow.adapters.store import AdapterStore
    from editflow.commands.adapter_report import AdapterReport

    store = AdapterStore()
    adapter = _in_use_here(store) if name is None else store.named(name)
    adapter.verify()
    report = AdapterReport.of(adapter, in_use=adapter in [stored.chosen for stored in store.repositories()])
    print(json_format.dumps(report.as_json() | {"facts": adapter.facts}) if json else report.page(adapter))


@adapters.command()
def use(
    name: Annotated[str, typer.Argument(metavar="NAME|none", help="An adapter, or none for the default.")],
    repo: Repository = None,
) -> None:
    """Use an adapter for its repository from now on, or none."""
    from editflow.adapters.store import AdapterStore

    store = AdapterStore()
    if name == DEFAULT:
        store.use(_root_of(repo), None)
        print("no adapter is used from now on")
    else:
        adapter = store.named(name, None if repo is None else _root_of(repo))
        store.use(adapter.repository, adapter.name)
        print(f"{adapter.name} is used from now on")


@adapters.command()
def remove(name: Name) -> None:
    """Remove an adapter; if it was in use, its repository has none from now on."""
    from editflow.adapters.store import AdapterStore

    print(f"removed {AdapterStore().remove(name).name}")


@adapters.command()
def export(
    name: Name,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to; a folder that is not there yet.")
    ],
) -> None:
    """Copy an adapter to a folder: for editflow adapters import elsewhere, or editflow fix --adapter ./FOLDER."""
    from editflow.adapters.store import AdapterStore
    from editflow.document import shown

    print(f"exported {AdapterStore().export(name, folder).name} to {shown(folder)}")


@adapters.command("import")
def import_adapter(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What editflow adapters export made.")],
    repo: Repository = None,
) -> None:
    """Install an adapter that was trained on another clone of this repository, and use it."""
    from editflow.adapters.adapter import Adapter, AdapterError
    from editflow.adapters.store import AdapterStore

    adapter, root = Adapter.read(folder), _root_of(repo)
    if adapter.repository != root:
        raise AdapterError(
            f"{adapter.name} was trained on another repository, with root commit {adapter.repository[:12]}, "
            f"not {root[:12]}"
        )
    print(f"installed {AdapterStore().install(folder).name}: it is used from now on")


@adapters.command()
def purge(
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="PATH", help="Only what belongs to this repository.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove adapters, training caches and recorded outcomes: all that was learnt, or kept to learn from."""
    from editflow.adapters import purge as everything
    from editflow.adapters.store import AdapterStore
    from editflow.commands.adapter_report import megabytes
    from editflow.document import shown

    store, root = AdapterStore(), None if repo is None else _root_of(repo)
    found = everything.belongings(store, root)
    for belonging in found:
        print(f"{belonging.what:18}{megabytes(belonging.size):>10}  {shown(belonging.path)}")
    if not found:
        print("nothing is kept")
    elif yes or _confirmed():
        everything.purge(store, root)
        print("removed")


def _confirmed() -> bool:
    from editflow.errors import EditFlowError

    if not sys.stdin.isatty():
        raise EditFlowError("nothing was removed: say --yes where there is no terminal to ask on")
    return typer.confirm("Remove all of this?")


def _in_use_here(store: "AdapterStore") -> "Adapter":
    from editflow.adapters.adapter import AdapterError

    adapter = store.find(Path.cwd())
    if adapter is None:
        raise AdapterError("no adapter is in use here: editflow adapters list shows those that are kept")
    return adapter


def _root_of(repo: Path | None) -> str:
    """The root commit of the repository around a path."""
    from editflow.adapters.identity import root_commit, working_tree_of

    path = repo or Path.cwd()
    return root_commit(working_tree_of(path) or path)
