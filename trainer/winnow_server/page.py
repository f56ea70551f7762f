"""The page at `/`: what is served, how good it is, and a form to try it; made once, at the start.

Everything that comes from the artifact is data, escaped where it is put in, and the page may run
no script but its own (its Content-Security-Policy names it by digest).
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import orjson

from winnow_contract.version import RELEASE
from winnow_server.model import ServedModel
from winnow_server.signature import DATATYPE

__all__ = ["HEADERS", "page"]


def _part(name: str) -> str:
    return files("winnow_server").joinpath(name).read_text(encoding="utf-8")


TEMPLATE, STYLE, SCRIPT = Template(_part("page.html")), _part("page.css"), _part("page.js")


def _source(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"


HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src {_source(STYLE)}; script-src {_source(SCRIPT)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def page(model: ServedModel) -> bytes:
    """The page of a model, HTML."""
    signature = model.signature
    path = f"/v2/models/{signature.model}/infer"
    request = _example(model)
    return TEMPLATE.substitute(
        model=escape(signature.model),
        version=escape(signature.version),
        style=STYLE,
        script=SCRIPT,
        path=escape(path),
        request=escape(request),
        curl=escape(f"curl http://HOST{path} -d {shlex.quote(request)}"),
        facts="".join(_pair("dt", "dd", *fact) for fact in _facts(model)),
        measured=_measured(model),
        card=f"<h2>Model card</h2><pre>{_clean(model.card)}</pre>" if model.card else "",
    ).encode()


def _clean(text: object) -> str:
    # What no HTML page may hold, not even escaped.
    kept = "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )
    return escape(kept)


def _pair(first: str, second: str, key: object, value: object) -> str:
    return f"<{first}>{_clean(key)}</{first}><{second}>{_clean(value)}</{second}>"


def _example(model: ServedModel) -> str:
    rows = model.example
    tensor = {
        "name": model.signature.input.name,
        "datatype": DATATYPE,
        "shape": rows.shape,
        "data": rows.ravel(),
    }
    return orjson.dumps({"inputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _facts(model: ServedModel) -> Iterator[tuple[str, object]]:
    document = model.artifact.document
    task = _object(document.get("task"))
    yield "artifact", model.digest
    for words, value in (
        ("family", _object(task.get("model")).get("family")),
        ("data", _object(task.get("data")).get("uri")),
        ("candidate", document.get("candidate")),
        ("made", document.get("createdAt")),
    ):
        if value:
            yield words, value
    yield "size", f"{model.artifact.size_bytes} bytes"
    yield "input", f"{model.signature.input.name} {['rows', *model.signature.input.row_shape]}"
    yield "output", f"{model.signature.output.name} {['rows', *model.signature.output.row_shape]}"
    found = model.agreement
    words = f"{found.rows} rows reproduced to {found.largest:.2g}, allowed is {found.allowed:.2g}"
    yield "golden batch", words
    yield "server", f"winnow {RELEASE}"


def _measured(model: ServedModel) -> str:
    rows = [
        f"<tr>{_pair('th', 'td', entry.get('metric'), entry.get('split'))}"
        f"<td>{_clean(_figure(entry))}</td></tr>"
        for entry in model.values()
    ]
    return f"<h2>Measured when it was made</h2><table>{''.join(rows)}</table>" if rows else ""


def _figure(entry: Mapping[str, Any]) -> str:
    value, error = entry.get("value"), entry.get("standardError")
    if not isinstance(value, int | float):
        return ""
    return f"{value:.4g}" + (f" ± {error:.2g}" if isinstance(error, int | float) else "")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
