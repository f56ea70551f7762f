"""The step `distill`: a network that learns from its teacher."""
