"""The text of a document for server-side apply, which the API server reads as YAML.

JSON is nearly YAML, but not where characters are escaped: JSON spells those beyond U+FFFF (emoji,
rare ideographs) as pairs of surrogates, which YAML refuses, so they are sent as they are; control
characters, which YAML refuses as they are, are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

CONTENT = "application/apply-patch+yaml; charset=utf-8"
"""With a charset the client sends the text that it is given; without, it would make its own."""

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def apply_text(document: Mapping[str, Any]) -> bytes:
    """The document as JSON that a YAML parser reads in the same way."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    escaped = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return escaped.encode(errors="replace")
