"""The steps of a compression: each takes a model and gives a smaller, faster or better one."""
