"""The steps of a compression: each takes a model and gives a smaller, faster or better one.

candidates, source, origin, chain   the life of a candidate, from its source through its steps
workshop, changes         where steps train and measure, and whether they have done anything
quantizing, pruning, distilling   one kind of step each
delivery, artifact, model_card, lineage, operations   what is handed over and kept
"""
