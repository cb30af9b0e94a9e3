"""The terminal reviewer: watch fixes come in, and keep or drop each hunk."""
