"""The command line: verbs, their options, and errors as sentences."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from devcluster.binaries import BINARIES, ensure_binaries
from devcluster.errors import DevclusterError
from devcluster.images import load_image
from devcluster.lifecycle import Wish, down, reset, up
from devcluster.status import LOGS, existing_log, print_status, running_profile

DEFAULT_PROFILE = "dev"
Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit status."""
    options = _parser().parse_args(arguments)
    run: Verb = options.run
    try:
        return run(options)
    except DevclusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"devcluster: {_words(error)}", file=sys.stderr)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(
            "devcluster: stopped; the next command clears away what is half done", file=sys.stderr
        )
        return 130
    return 1


def _words(error: subprocess.CalledProcessError) -> str:
    said = error.stderr or b""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"`{' '.join(error.cmd)}` ended with {error.returncode}: {text.strip()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devcluster", description="A real single-node Kubernetes for development and tests."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    profile = argparse.ArgumentParser(add_help=False)
    profile.add_argument("--profile", default=DEFAULT_PROFILE, help="which cluster (dev)")

    def verb(name: str, run: Verb, text: str, *, own: bool = True) -> argparse.ArgumentParser:
        parents = [profile] if own else []
        found = verbs.add_parser(name, help=text, description=text, parents=parents)
        found.set_defaults(run=run)
        return found

    found = verb("build", _build, "build the programs into the cache", own=False)
    names = [binary.name for binary in BINARIES]
    found.add_argument("programs", nargs="*", choices=names, metavar="PROGRAM", help="which (all)")
    found = verb("up", _up, "bring the cluster up, as far as it is not")
    found.add_argument(
        "--control-plane-only", action="store_true", help="no node: the API without pods that run"
    )
    found.add_argument("--gpus", type=_count, metavar="N", help="show N nvidia.com/gpu on the node")
    found.add_argument(
        "--prometheus", action="store_true", help="have Prometheus scrape Winnow's pods"
    )
    found = verb("down", _down, "remove the cluster; its images stay for the next time")
    found.add_argument("--purge", action="store_true", help="remove the images too")
    verb("reset", _reset, "an empty cluster of the same kind; images stay")
    verb("status", _status, "what the cluster is and how its components fare; fails if it is down")
    verb("kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig")
    found = verb("load-image", _load_image, "hand an image of buildah's store to the cluster")
    found.add_argument(
        "image", help="its name in the local store; the last line printed is for pods"
    )
    found = verb("logs", _logs, f"print the log of a component: {', '.join(LOGS)}")
    found.add_argument("component", choices=LOGS, metavar="COMPONENT")
    found.add_argument("--path", action="store_true", help="print the file's path instead")
    found.add_argument("--follow", action="store_true", help="go on printing what comes")
    return parser


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of GPUs: 0 or more is allowed")
    return int(text)


def _build(options: argparse.Namespace) -> int:
    print(ensure_binaries(names=options.programs or ()))
    return 0


def _up(options: argparse.Namespace) -> int:
    if options.control_plane_only and options.gpus:
        raise DevclusterError("--gpus needs a node, which --control-plane-only leaves out")
    if options.control_plane_only and options.prometheus:
        raise DevclusterError("--prometheus needs a node, which --control-plane-only leaves out")
    full_node = not options.control_plane_only
    up(options.profile, Wish(full_node, options.gpus, options.prometheus))
    return 0


def _down(options: argparse.Namespace) -> int:
    down(options.profile, purge=options.purge)
    return 0


def _reset(options: argparse.Namespace) -> int:
    reset(options.profile)
    return 0


def _status(options: argparse.Namespace) -> int:
    return 0 if print_status(options.profile) else 1


def _kubeconfig(options: argparse.Namespace) -> int:
    print(running_profile(options.profile).kubeconfig)
    return 0


def _load_image(options: argparse.Namespace) -> int:
    profile = running_profile(options.profile)
    print(load_image(profile, options.image), flush=True)
    return 0


def _logs(options: argparse.Namespace) -> int:
    path = existing_log(options.profile, options.component)
    if options.path:
        print(path)
        return 0
    # As a program of its own, so that a closed pipe ends it like any other.
    words = ["tail", "-n", "+1", *(["-F"] if options.follow else []), str(path)]
    return subprocess.run(words, check=False).returncode
