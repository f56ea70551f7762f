"""What a quantize step may lose counts from the source, with what the steps before have lost."""

from __future__ import annotations

import threading
from typing import Any

from tests.support.compression import source, step, workshop
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.steps.chains import resolve_chain
from winnow_trainer.compress.chain import run_chain
from winnow_trainer.compress.quantizing.quantize import quantize
from winnow_trainer.progress import TrialWatch

ALLOWED = 0.02


def report_after_losing(lost: float) -> dict[str, Any]:
    shop = workshop("MLP", widths="8")
    work = source("MLP", shop)
    reference = shop.quality(work.model)[0] + lost
    quantized = quantize(work, step("quantize", maxDrop=str(ALLOWED)), shop, reference)
    return dict(quantized.report)


def test_no_layer_is_left_out_where_the_steps_before_have_lost_too_much() -> None:
    report = report_after_losing(ALLOWED * 2)

    assert (report["excluded"], report["attempts"]) == ([], 1)
    assert "In 32 bits the model had lost 0.04 already" in " ".join(report["sentences"])


def test_a_chain_hands_on_what_its_source_had() -> None:
    shop = workshop("MLP", widths="8")
    start = source("MLP", shop)
    steps = resolve_chain(
        [{"prune": {"amount": "0.9", "epochs": 1, "learningRate": "1e-9"}}, {"quantize": {}}],
        max_drop=0.0,
    )

    watch = TrialWatch("small-c00002", "accuracy", MetricsPage(), threading.Event())
    chained = run_chain(start, steps, shop, watch)

    words = " ".join(chained.steps[1]["report"]["sentences"])
    assert "the model had lost" in words
