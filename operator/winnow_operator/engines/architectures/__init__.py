"""Engines that search architectures: Evolution, Generative, and what they are made of."""
