"""The shared trainer image's program: trains the trials of a pod with PyTorch.

`__main__` reads the contract, `packs` runs the trials, `trials` is the life of one, `training` the
loop itself. Everything about the outside world is in `winnow_contract`.
"""
