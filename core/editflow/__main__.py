"""Runs the `editflow` command as `python -m editflow`."""

from editflow.cli import main

main()
