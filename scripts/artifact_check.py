#!/usr/bin/env python3
"""Checks an artifact where it lies: the manifest's digest, then every file that it lists.

    scripts/artifact_check.py FOLDER sha256:DIGEST

Standard library only, and none of Winnow's own code: it reads what was written as a stranger
would. The demo runs it in a pod on the claim; anybody else may too. Prints what it found as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def sha256(path: Path) -> str:
    """Digest of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults(folder: Path, digest: str, manifest: dict[str, Any]) -> list[str]:
    """What is wrong, a sentence each."""
    found = []
    actual = f"sha256:{sha256(folder / 'manifest.json')}"
    if actual != digest:
        found.append(f"manifest.json has {actual}, expected is {digest}")
    for entry in manifest["files"]:
        path = folder / entry["path"]
        if not path.is_file():
            found.append(f"{entry['path']} is missing")
        elif (path.stat().st_size, sha256(path)) != (entry["sizeBytes"], entry["sha256"]):
            found.append(f"{entry['path']} is not the file that the manifest lists")
    return found


def summary(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to know of a whole artifact."""
    files = {entry["path"]: entry["sizeBytes"] for entry in manifest["files"]}
    test = {v["metric"]: v["value"] for v in manifest["values"] if v["split"] == "test"}
    return {"trial": manifest["trial"]["name"], "files": files, "test": test}


def main(arguments: list[str]) -> int:
    """Check one artifact."""
    if len(arguments) != len(("FOLDER", "DIGEST")):
        print("usage: artifact_check.py FOLDER sha256:DIGEST", file=sys.stderr)
        return 2
    root, digest = Path(arguments[0]), arguments[1]
    if not (root / "manifest.json").is_file():
        print(f"{root} has no manifest.json: there is no whole artifact", file=sys.stderr)
        return 1
    manifest = json.loads((root / "manifest.json").read_text())
    wrong = faults(root, digest, manifest)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(json.dumps(summary(manifest)))
    return int(bool(wrong) or not manifest["files"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
