"""One warm engine in a process of its own, shared by all windows of a user.

The host (`python -m editflow.resident`) holds the model and runs the jobs of all its connections in turn; surfaces
talk to it through `editflow.resident.client`, which never imports torch.
"""
