"""What operator, trainer and any other trial image agree on: version 1 of the trial contract.

Standard library only, so that every image can carry it. docs/trial-contract.md is the page for
people; the modules here are the same thing for programs.

assignments, results, manifests, exit_codes, version   what goes into a pod, comes out and is kept
environment, variables, documents, message_fields, uris, errors   reading it, with checks
pod, program, report      a pod's part, with a whole trial for Python programs in `report`
metrics_page, log, json_lines, files   what a pod serves, says and writes
stopping, rungscores, rungbook   early stopping
folds                     trials that are spread over pods
models                    families, settings, nets
steps, measuring, choosing   of a compression
serving, comparing        of a server, and of a probe that compares two
"""
