"""`editflow-lsp`: the language server on standard input and output."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from editflow import __version__
from editflow.errors import EditFlowError
from editflow_lsp.settings import DEVICES

LEVELS = ("debug", "info", "warning", "error")


def main(arguments: list[str] | None = None) -> None:
    """Serve one editor; exits with the code that LSP asks for, or with 2 where an option is wrong."""
    options = _parser().parse_args(arguments)
    gc.disable()  # what the imports make lives for ever: looking through it again and again costs 0.1 s
    from editflow_lsp.log import setup  # pygls is imported after the options are known to be right
    from editflow_lsp.transport import claim_stdin, claim_stdout, serve

    try:
        setup(options.log_level.upper(), options.log_file)
    except EditFlowError as error:
        print(f"editflow-lsp: {error}", file=sys.stderr)
        sys.exit(2)
    from editflow_lsp.connection import Overrides
    from editflow_lsp.server import EditFlowServer

    gc.freeze()
    gc.enable()
    overrides = Overrides(options.model, options.device, False if options.no_daemon else None)
    sys.exit(serve(EditFlowServer(overrides), claim_stdin(), claim_stdout()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "editflow-lsp", description="The Edit Flow language server, for editors to start."
    )
    parser.add_argument("--version", action="version", version=f"editflow-lsp {__version__}")
    parser.add_argument("--stdio", action="store_true", help="speak on standard input and output (always so)")
    parser.add_argument(
        "--no-daemon", action="store_true", help="an engine of its own instead of the one all windows share"
    )
    parser.add_argument("--model", metavar="NAME|PATH", help="checkpoint, over the editor's setting")
    parser.add_argument("--device", choices=DEVICES, help="where to compute, over the editor's setting")
    parser.add_argument(
        "--log-file", type=Path, metavar="FILE", help="log there instead of to standard error"
    )
    parser.add_argument("--log-level", choices=LEVELS, default="warning")
    parser.add_argument(
        "--clientProcessId", help=argparse.SUPPRESS
    )  # some clients add it; the end of input tells us
    return parser
