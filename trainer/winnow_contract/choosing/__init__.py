"""From measurements to one candidate: goals, Pareto set, preferences, and the reason in words."""
