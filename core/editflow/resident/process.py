"""The host as a process: its options, its signals, and its end."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from editflow.checkpoint import DEFAULT
from editflow.resident.host import IDLE_EXIT, UNLOAD_AFTER, Host
from editflow.resident.job import Load, Model
from editflow.resident.log import log_failure, log_to_stderr
from editflow.resident.pipes import claim_pipes
from editflow.resident.place import PlaceError, listen

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def engine_of(model: str) -> Load:
    """Loads this checkpoint; torch is imported with the first one."""

    def load(device: str) -> Model:
        from editflow.engine import Engine

        return Engine.load(model, device)

    return load


def main(arguments: list[str] | None = None, loader: Callable[[str], Load] = engine_of) -> None:
    """Serve a socket or the parent process, until stopped or idle. `loader` makes a Load of a model's name."""
    options = _parser().parse_args(arguments)
    load = loader(options.model)
    host = Host(load, options.device, idle_exit=options.idle_exit, unload_after=options.unload_after)
    try:
        serving = host.serve_one(claim_pipes()) if options.pipes else host.serve(listen(options.socket))
    except PlaceError as error:
        raise SystemExit(f"editflow: {error}") from error
    run(host, serving)


def run(host: Host, serving: Coroutine[Any, Any, None]) -> None:
    """Serve to the end of this process; the signals to end it do so orderly."""
    log_to_stderr()
    try:
        asyncio.run(_with_signals(host, serving))
    except Exception as error:
        log_failure("the host", error)
        raise SystemExit(1) from None
    if host.runner.is_alive():  # in the middle of a load or a pass, and not to be waited for
        logging.shutdown()
        os._exit(0)


async def _with_signals(host: Host, serving: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # on Windows, where the parent closes the pipe instead
        for number in _SIGNALS:
            loop.add_signal_handler(number, host.stop)
    await serving


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("editflow.resident", description="One warm engine for all windows.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, metavar="PATH", help="serve a unix socket at this path")
    where.add_argument("--pipes", action="store_true", help="serve standard input and output, once")
    parser.add_argument("--model", default=DEFAULT, metavar="NAME|PATH", help="checkpoint to load")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda", help="where to compute")
    parser.add_argument("--idle-exit", type=float, default=IDLE_EXIT, metavar="SECONDS")
    parser.add_argument("--unload-after", type=float, default=UNLOAD_AFTER, metavar="SECONDS")
    return parser
