"""Finds the hosts that run for this user, asks what they are, and stops them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from editflow.errors import EditFlowError
from editflow.resident.link import LeavingError, Link, LinkError
from editflow.resident.place import runtime_folder
from editflow.resident.report import Report
from editflow.resident.wire import Message, pack


async def ask_all(*, stop: bool = False) -> list[Report | str]:
    """What every host says of itself, or why it does not; with `stop`, each leaves after saying so."""
    answers = [await _ask(path, stop) for path in sorted(runtime_folder().glob("engine-*.sock"))]
    return [answer for answer in answers if answer is not None]


async def _ask(path: Path, stop: bool) -> Report | str | None:
    """None where nobody listens at the socket, or no longer will."""
    try:
        async with _dialled(path) as link:
            return None if link is None else await _report(link, stop)
    except LeavingError:
        return None
    except EditFlowError as error:
        return f"{path.name}: {error}"


@asynccontextmanager
async def _dialled(path: Path) -> AsyncIterator[Link | None]:
    link = await Link.dial(path)
    try:
        yield link
    finally:
        if link is not None:
            await link.close()


async def _report(link: Link, stop: bool) -> Report:
    link.send(pack({"type": "report"}))
    message = await _next(link, "report")
    if stop:
        link.send(pack({"type": "stop"}))
        await _next(link, "bye")
    try:
        return Report(**message["report"])
    except (KeyError, TypeError) as error:
        raise LinkError("its report cannot be read") from error


async def _next(link: Link, kind: str) -> Message:
    while (message := await link.read()) is not None:
        if message["type"] == kind:
            return message
    raise LinkError("it hung up")
