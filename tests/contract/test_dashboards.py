"""The dashboards: as generated, shipped by the chart, and never mixing two jobs of one name."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from monitoring.answers import RATE_INTERVAL
from monitoring.dashboards import DASHBOARDS
from tests.support.chart import ROOT, render
from tests.support.promql import hold_answers, needs_promtool

FILES = sorted((ROOT / "charts/winnow/files/dashboards").glob("*.json"))


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_what_is_generated_is_up_to_date() -> None:
    done = subprocess.run(
        [ROOT / "scripts/dashboards", "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_chart_ships_each_as_a_config_map_that_grafana_finds() -> None:
    chosen = {"enabled": True, "annotations": {"grafana_folder": "Winnow"}}
    documents = render({"metrics": {"dashboards": chosen}})
    maps = [d for d in documents if d["kind"] == "ConfigMap"]

    assert {m["metadata"]["labels"]["grafana_dashboard"] for m in maps} == {"1"}
    assert {m["metadata"]["annotations"]["grafana_folder"] for m in maps} == {"Winnow"}
    shipped = {name: text for m in maps for name, text in m["data"].items()}
    assert shipped == {path.name: path.read_text() for path in FILES}
    assert len(shipped) == len(DASHBOARDS) == 4


def test_identities_and_titles_of_panels_are_unique_and_panels_do_not_overlap() -> None:
    for path in FILES:
        panels = json.loads(path.read_text())["panels"]
        places = [
            (x, y)
            for p in panels
            for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
            for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
        ]

        assert len({p["title"] for p in panels}) == len(panels), path.name
        assert len(set(places)) == len(places), path.name
        assert max(x for x, _ in places) < 24, path.name


def test_every_panel_says_what_it_shows() -> None:
    silent = [p.title for d in DASHBOARDS for p in d.panels if not p.words.endswith(".")]

    assert silent == []


@needs_promtool
def test_panels_of_a_search_show_nothing_of_an_earlier_search_of_the_same_name(
    tmp_path: Path,
) -> None:
    search = json.loads((ROOT / "charts/winnow/files/dashboards/winnow-search.json").read_text())
    who = 'job_namespace="a", job_kind="searchjob", job_name="digits"'
    target = 'namespace="a", winnow_dev_searchjob="digits"'
    trial = 'trial="digits-t00001", metric="accuracy"'

    def series_of(uid: str, value: int) -> dict[str, str]:
        named = [
            f'winnow_job_best_value{{{who}, job_uid="{uid}", metric="accuracy"}}',
            f'winnow_job_planned_trials{{{who}, job_uid="{uid}"}}',
            f'winnow_job_trials{{{who}, job_uid="{uid}", outcome="Succeeded"}}',
            f'winnow_trial_metric{{{target}, {trial}, pod="p-{uid}", job_uid="{uid}"}}',
        ]
        return dict.fromkeys(named, f"{value}x10")

    of_these = ("winnow_job_best_value", "winnow_job_trials", "winnow_trial_metric")
    asked = {
        expr.replace("$__rate_interval", RATE_INTERVAL)
        .replace("$uid", "new")
        .replace("$metric", "accuracy")
        for expr in expressions(search)
        if re.search("|".join(of_these), expr)
    }
    assert len(asked) >= 4
    # No series is above what the new one has: of the old one all are.
    wanted = {f"max({expr}) <= bool 5": [{"value": 1}] for expr in asked}
    hold_answers(tmp_path, {**series_of("old", 9), **series_of("new", 5)}, wanted, at="5m")
