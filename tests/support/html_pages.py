"""An HTML page as a tree, read as a browser would, for tests that look at what a page holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass(slots=True)
class Node:
    """One element."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text below it."""
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def all(self, name: str) -> list[Node]:
        """Elements of this name below it, in the order of the page."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                found += [child] if child.name == name else []
                found += child.all(name)
        return found

    def everything(self) -> list[Node]:
        """All elements below it."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                found += [child, *child.everything()]
        return found


class _Reader(HTMLParser):
    """Fails where an element is closed that is not open: a page of ours has no such thing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root")
        self.open = [self.root]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag} has an attribute twice"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    @override
    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(text: str) -> Node:
    """The page's tree; an assertion fails if it is not well-formed."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].name}> is never closed"
    return reader.root
