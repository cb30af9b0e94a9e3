"""`python -m editflow_tui` is `editflow-tui`."""

from editflow_tui.cli import main

if __name__ == "__main__":
    main()
