"""The server image's measuring: models as they will be served, in ONNX Runtime, without torch.

`python -m winnow_measure` compares a round of candidates with their baseline and writes the report.
"""
