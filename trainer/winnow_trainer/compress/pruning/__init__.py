"""The step `prune`: weights set to zero, or units cut out."""
