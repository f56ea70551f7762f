"""The inference server: one model over HTTP in the Open Inference Protocol."""
