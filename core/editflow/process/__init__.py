"""Processes: how text is corrupted and how it is restored."""
