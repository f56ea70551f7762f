"""docs/operations.md names every setting, reason and cause, and none that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.chart import ROOT, operator_container, render
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.domain.causes import CAUSES
from winnow_operator.settings import Settings

PAGE = (ROOT / "docs/operations.md").read_text()
AS_TEXT: dict[object, str] = {"": "empty", (): "empty", False: "`false`"}


def rows(first_column: str) -> list[list[str]]:
    """Cells of the table whose first column has this heading."""
    table = PAGE.partition(f"| {first_column} |")[2].partition("\n\n")[0]
    lines = table.splitlines()[2:]
    assert lines, first_column
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def documented(first_column: str) -> dict[str, list[str]]:
    table = rows(first_column)
    names = [code(cells[0])[0] for cells in table]
    assert len(names) == len(set(names)), "a name stands in the table twice"
    return dict(zip(names, table, strict=True))


def variables() -> dict[str, str]:
    """Field of the settings by the variable that its documentation names."""
    tree = ast.parse((ROOT / "operator/winnow_operator/settings.py").read_text())
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings").body
    found = {}
    for field, doc in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[ast.literal_eval(doc.value).partition(":")[0]] = field.target.id
    return found


def test_every_setting_stands_on_the_page_with_its_default() -> None:
    fields, page = variables(), documented("variable")

    assert set(fields.values()) == set(Settings.__slots__)
    assert page.keys() == fields.keys()
    defaults = {f.name: f.default for f in Settings.__dataclass_fields__.values()}
    for variable, field in fields.items():
        default = defaults[field]
        if field not in {"trainer_image", "server_image", "identity"}:
            wanted = AS_TEXT.get(default, f"`{default}`")
            assert page[variable][2].partition(":")[0] == wanted, variable


def test_every_setting_is_set_by_the_chart_from_the_value_that_the_page_names() -> None:
    page = documented("variable")
    template = (ROOT / "charts/winnow/templates/deployment.yaml").read_text()

    container = operator_container(render())
    assert {e["name"] for e in container["env"]} == page.keys()
    for variable, cells in page.items():
        for value in code(cells[1]):
            after = template.partition(f"- name: {variable}\n")[2].partition("- name:")[0]
            named = f".Values.{value}" in after or f"winnow.{value.replace('.i', 'I')}" in after
            assert named, f"{variable} does not come from {value}"


def test_every_reason_stands_on_the_page_with_a_next_step() -> None:
    page = documented("reason")

    assert page.keys() == {str(reason) for reason in Reason}
    for reason, (_, conditions, meaning, step) in page.items():
        assert set(conditions.split(", ")) <= {str(kind) for kind in ConditionType}, reason
        assert meaning.endswith("."), reason
        assert step.endswith("."), reason


def test_every_condition_stands_on_the_page() -> None:
    assert documented("condition").keys() == {str(kind) for kind in ConditionType}


def test_metrics_know_the_causes_of_the_page() -> None:
    assert documented("cause").keys() == CAUSES


CAUSE = re.compile(r"^[A-Z][A-Za-z]+$")
CAUSE_FUNCTIONS = {
    "_failed",
    "_refused",
    "Cause",
    "failed",
    "ModelError",
    "RoundError",
    "TrialError",
}


def causes(path: Path) -> Iterator[str]:
    """Words that a module gives as the cause of a failure."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and "cause" in ast.unparse(node.targets[0]).lower():
            yield from strings(node.value)
        if isinstance(node, ast.Call):
            yield from (w for k in node.keywords if k.arg == "cause" for w in strings(k.value))
            function = ast.unparse(node.func)
            if function in CAUSE_FUNCTIONS:
                yield from (w for argument in node.args for w in strings(argument))
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            for first in node.value.elts[:1]:
                yield from strings(first) if isinstance(first, ast.Constant) else ()


def strings(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        value = part.value if isinstance(part, ast.Constant) else None
        if isinstance(value, str) and CAUSE.match(value):
            yield value


def test_every_cause_in_the_code_stands_on_the_page() -> None:
    modules = [
        ROOT / "operator/winnow_operator/domain/searches/outcomes.py",
        ROOT / "operator/winnow_operator/domain/settlements.py",
        *(ROOT / "trainer/winnow_contract").glob("*.py"),
        *(ROOT / "trainer/winnow_runtime").glob("*.py"),
        *(ROOT / "trainer/winnow_measure").glob("*.py"),
        *(ROOT / "trainer/winnow_trainer").rglob("*.py"),
    ]
    page = documented("cause").keys()

    found = {cause for module in modules for cause in causes(module)}
    assert len(found) > 10, "the causes were not found in the code"
    assert found - page == set()


def test_every_cause_on_the_page_is_in_the_code() -> None:
    sources = "\n".join(
        path.read_text()
        for root in ("operator/winnow_operator", "trainer")
        for path in (ROOT / root).rglob("*.py")
    )

    assert [cause for cause in documented("cause") if f'"{cause}"' not in sources] == []


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_every_link_to_a_heading_of_the_page_finds_it(page: str) -> None:
    text = (ROOT / page).read_text()
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}
    prefix = r"operations\.md" if page == "README.md" else r"\]\("

    linked = set(re.findall(rf"{prefix}#([a-z0-9-]+)", text))
    assert linked
    assert linked <= anchors
