"""The root of the exceptions that a person sees: one readable line, never a traceback."""


class EditFlowError(Exception):
    """A failure whose message is one line that says what to do about it."""
