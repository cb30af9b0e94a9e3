"""Edits from the histories of git repositories: read, cut into functions and hunks, filtered, deduplicated, stored."""
