"""What goes wrong when a pretrained model is taken over."""

from editflow.errors import EditFlowError


class AdaptationError(EditFlowError):
    """A base model that cannot be read or taken over; the message says which part of it and what to do."""
