"""What a repository's history has taught: small checkpoints that name their base, kept on the user's side.

An adapter belongs to a repository, which is known by its root commit: the same in every clone. `store` finds the one
in use for a file, `choice` decides what a surface uses, `apply` puts it over the base's network. All but `apply` are
light: a surface looks its adapter up without torch.
"""
