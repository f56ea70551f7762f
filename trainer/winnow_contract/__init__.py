"""What operator, trainer and any other trial image agree on: version 1 of the trial contract.

Standard library only, so that every image can carry it. docs/trial-contract.md is the page for
people; the modules here are the same thing for programs.
"""
