"""The language server: one light process per editor window, which hands the computing to the resident engine."""
