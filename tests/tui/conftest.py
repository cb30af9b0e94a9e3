"""The shell and the fast engine that tests of `editflow fix` have."""

from tests.core.conftest import engine, shell

__all__ = ["engine", "shell"]
