"""`editflow daemon`: the engine that a user's editors and terminals share; run here, shown, or stopped."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

NONE_RUNS = 1  # exit code


class Action(StrEnum):
    """What is done with the engine."""

    run = "run"
    status = "status"
    stop = "stop"


def daemon(
    action: Annotated[Action, typer.Argument(metavar="run|status|stop", help="What to do.")],
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint for run.")] = "default",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where run computes.")] = "auto",
    idle_exit: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Time without a window after which run ends.")
    ] = 300,
    unload_after: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Time without a job after which memory is freed.")
    ] = 1800,
) -> None:
    """Run the shared engine in the foreground, or show or stop those that run.

    Editors start it by themselves. status exits with 1 if none runs.
    """
    from editflow.errors import EditFlowError
    from editflow.resident.control import ask_all
    from editflow.resident.place import daemon_possible

    if not daemon_possible():
        raise EditFlowError("this system has no unix sockets: every window has an engine of its own")
    if action is Action.run:
        _run(model, device, idle_exit, unload_after)
        return
    stop = action is Action.stop
    answers = asyncio.run(ask_all(stop=stop))
    print("\n".join(f"{'stopped: ' * stop}{answer}" for answer in answers) or "no engine is running")
    raise typer.Exit(0 if answers or stop else NONE_RUNS)


def _run(model: str, device: str, idle_exit: float, unload_after: float) -> None:
    from editflow.resident.host import Host
    from editflow.resident.launch import claim
    from editflow.resident.place import EngineChoice, place_of
    from editflow.resident.process import engine_of, run

    choice = EngineChoice(model, device)
    listener = asyncio.run(claim(place_of(choice)))
    host = Host(engine_of(choice.folder), device, idle_exit=idle_exit, unload_after=unload_after)
    run(host, host.serve(listener))
