"""The subcommands of `editflow` that core brings: one module each, named in the entry-point group.

A command module is light to import: torch and everything that pulls it in are imported inside the
command's function, so that `editflow --help` can list it in a fraction of a second.
"""
