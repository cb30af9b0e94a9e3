"""`python -m editflow_lsp` is `editflow-lsp`."""

from editflow_lsp.cli import main

main()
