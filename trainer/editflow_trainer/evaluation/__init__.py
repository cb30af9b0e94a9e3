"""Evaluation suites: injected bugs, clean code, and public programs judged by their tests or their text."""
