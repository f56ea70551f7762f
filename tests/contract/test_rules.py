"""Recording rules and alerts: they hold for Prometheus, and each alert leads somewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.chart import ROOT, find, render
from tests.support.promql import needs_promtool, promtool
from winnow_contract.serving import ERROR_CODES
from winnow_operator.api.conditions import Reason

RULES = ROOT / "charts/winnow/files/rules.yaml"
TESTS = ROOT / "tests/contract/data/rules_test.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    code, said = promtool("check", "rules", RULES)

    assert code == 0, said


@needs_promtool
def test_every_alert_fires_where_it_should_and_is_silent_where_it_should_be() -> None:
    code, said = promtool("test", "rules", TESTS)

    assert code == 0, said


def test_every_alert_has_such_a_test() -> None:
    tested = re.findall(r"alertname: (\w+)", TESTS.read_text())

    assert {rule["alert"] for rule in ALERTS} == set(tested)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    page = RUNBOOKS / rule["annotations"]["runbook_url"].removeprefix("RUNBOOKS/")
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert rule["alert"].startswith(page.stem)
    assert "## Look" in text
    assert "## Do" in text


def test_every_runbook_belongs_to_an_alert() -> None:
    named = {rule["annotations"]["runbook_url"].removeprefix("RUNBOOKS/") for rule in ALERTS}

    assert {page.name for page in RUNBOOKS.glob("*.md")} == named


def test_alerts_know_no_state_that_there_is_not() -> None:
    named = re.findall(r'_state\{state=~?"([^"]+)"', RULES.read_text())
    states = {word for words in named for word in words.split("|")}

    assert states
    assert states <= {str(reason) for reason in Reason}


def metrics_of(text: str) -> set[str]:
    """Names of served metrics, without what a histogram puts behind them."""
    return {
        re.sub(r"_(bucket|sum|count)$", "", n) for n in re.findall(r"(?<![:\w])winnow_\w+", text)
    }


def test_rules_and_dashboards_know_no_metric_that_is_not_served() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    files = [RULES, *(ROOT / "charts/winnow/files/dashboards").glob("*.json")]
    labels = {"winnow_dev_modelserver", "winnow_dev_revision", "winnow_dev_searchjob"}

    named = {name for path in files for name in metrics_of(path.read_text())} - labels
    assert len(named) > 30
    assert named <= set(re.findall(r"^\| `(winnow_\w+)`", page, re.MULTILINE))


def test_rules_count_the_same_answers_as_errors_as_the_checks_of_a_canary() -> None:
    counted = re.findall(r'server_requests_total\{code=~"([^"]+)"', RULES.read_text())

    assert set(counted) == {ERROR_CODES}


def test_the_chart_makes_a_rule_object_of_them() -> None:
    chosen = {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "runbookUrl": "https://example.com/runbooks/",
        "availabilityObjective": "0.99",
    }
    rule = find(render({"metrics": {"prometheusRule": chosen}}), "PrometheusRule")
    text = str(rule["spec"])

    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert [g["name"] for g in rule["spec"]["groups"]] == [g["name"] for g in GROUPS]
    assert "https://example.com/runbooks/WinnowNoLeader.md" in text
    assert "RUNBOOKS" not in text
    assert "14.4 * (1 - 0.99)" in text
    assert "0.999" not in text


def test_without_an_address_of_the_runbooks_alerts_name_their_file() -> None:
    rule = find(render({"metrics": {"prometheusRule": {"enabled": True}}}), "PrometheusRule")

    assert "'runbook_url': 'docs/runbooks/WinnowNoLeader.md'" in str(rule["spec"])
