"""Parts that the queries of several panels share."""

from __future__ import annotations


def rate(metric: str, labels: str = "") -> str:
    """How fast a counter rises, each second."""
    selector = f"{{{labels}}}" if labels else ""
    return f"rate({metric}{selector}[$__rate_interval])"


def quantile(share: float, metric: str, by: str = "", labels: str = "") -> str:
    """A quantile of a histogram, for each value of the labels `by`."""
    grouped = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) ({rate(f'{metric}_bucket', labels)}))"


def nothing(label: str) -> str:
    """A zero called `none`, to stand where there is nothing to count."""
    return f'label_replace(vector(0), "{label}", "none", "", "")'
