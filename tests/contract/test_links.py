"""Every link of a page leads somewhere, and every command of a page is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tracked import ROOT, tracked

PAGES = tracked("*.md")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")  # a pattern in it can look like a link
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROGRAM = re.compile(r"(?<![\w/.-])(?:\./)?((?:scripts|\.ci)/[\w.-]+)")
TARGET = re.compile(r"(?:^|`)(?:[A-Z]+=\S+ )*make ([a-z][a-z -]*)", re.MULTILINE)
ELSEWHERE = ("https://", "http://", "mailto:")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text())
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in plain}


def links(page: Path) -> Iterator[str]:
    text = CODE.sub("", FENCE.sub("", page.read_text()))
    yield from (link for link in LINK.findall(text) if not link.startswith(ELSEWHERE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_program_that_a_page_names_is_there(page: Path) -> None:
    named = set(PROGRAM.findall(page.read_text()))

    assert [name for name in sorted(named) if not (ROOT / name.rstrip(".")).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_of_make_that_a_page_names_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for words in TARGET.findall(page.read_text()) for word in words.split()[:1]}

    assert named - targets == set()


def test_the_pages_were_found() -> None:
    assert {"README.md", "docs/operations.md", "docs/design"} <= {
        *map(name_of, PAGES),
        *(name_of(page.parent) for page in PAGES),
    }
    assert anchors(ROOT / "README.md") >= {"on-your-own-cluster", "try-it"}
