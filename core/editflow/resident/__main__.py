"""Runs the host as `python -m editflow.resident`."""

from editflow.resident.process import main

main()
