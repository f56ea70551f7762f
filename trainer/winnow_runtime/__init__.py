"""Models in ONNX Runtime, as they are measured and as they are served: the same code for both."""
