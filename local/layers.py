"""What may depend on what: a crate on those of the layers below its own, and no module on itself by way of others."""

import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from modules import Crate, Name
from run_dir import ROOT
from step import Failed, main

# A crate may depend on those of the layers before the one in whose folder it lies. Its own tests may have crates of the last.
LAYERS = ["shared/domain", "shared/host", "shared/aws", "shared/api", "functions", "tests"]
NOWHERE = len(LAYERS)
FOR_TESTS = "dev-dependencies"
KINDS = ("dependencies", FOR_TESTS, "build-dependencies")
# Modules side by side: to whom each refers, and where.
Graph = dict[str, dict[str, list[str]]]


def run() -> None:
    if complaints := [*wrong_dependencies(ROOT), *circles(ROOT)]:
        raise Failed("\n".join(["dependencies that local/layers.py does not allow:", *complaints]))


def wrong_dependencies(top: Path) -> Iterator[str]:
    """The crates that depend on one beside or above them."""
    workspace, manifests = read(top)
    folders = {manifest["package"]["name"]: folder for folder, manifest in manifests.items()}
    for folder, manifest in manifests.items():
        if layer(folder) == NOWHERE:
            yield f"{folder}/Cargo.toml: it lies in none of the layers"
        for kind, name in dependencies(manifest, workspace["dependencies"]):
            if name in folders and layer(folders[name]) >= layer(folder) and not is_for_tests(kind, folders[name]):
                yield f"{folder}/Cargo.toml: depends on {folders[name]}"


def circles(top: Path) -> Iterator[str]:
    """The circles of modules in each crate, with the places that make them."""
    for folder, manifest in read(top)[1].items():
        for root in roots(top / folder, manifest):
            for around, graph in levels(Crate(root, top)).items():
                for circle in circles_of(graph):
                    names = ["::".join((*around, name)) for name in circle]
                    yield f"{folder}: {' -> '.join(names)}"
                    for (source, target), step in zip(pairwise(circle), pairwise(names), strict=True):
                        yield f"    {' -> '.join(step)}: {', '.join(dict.fromkeys(graph[source][target]))}"


def read(top: Path) -> tuple[dict, dict[str, dict]]:
    """The workspace, and each crate's manifest by its folder."""
    workspace = tomllib.loads((top / "Cargo.toml").read_text())["workspace"]
    folders = [folder for member in workspace["members"] for folder in sorted(top.glob(member))]
    return workspace, {str(folder.relative_to(top)): tomllib.loads((folder / "Cargo.toml").read_text()) for folder in folders}


def dependencies(manifest: dict, shared: dict) -> Iterator[tuple[str, str]]:
    """The packages that a crate depends on, whatever it calls them, each with the kind of that."""
    for table in [manifest, *manifest.get("target", {}).values()]:
        for kind in KINDS:
            for name, wanted in table.get(kind, {}).items():
                said = shared[name] if isinstance(wanted, dict) and wanted.get("workspace") else wanted
                yield kind, said.get("package", name) if isinstance(said, dict) else name


def is_for_tests(kind: str, folder: str) -> bool:
    """Whether what is deployed does without it."""
    return kind == FOR_TESTS and layer(folder) == LAYERS.index("tests")


def layer(folder: str) -> int:
    return next((number for number, layer in enumerate(LAYERS) if Path(folder).is_relative_to(layer)), NOWHERE)


def roots(folder: Path, manifest: dict) -> list[Path]:
    """The files that cargo begins a program or a library with."""
    usual = [folder / "src/lib.rs", folder / "src/main.rs", *sorted(folder.glob("src/bin/*.rs"))]
    named = [folder / target["path"] for kind in ("bin", "test") for target in manifest.get(kind, []) if "path" in target]
    return [file for file in dict.fromkeys([*usual, *named]) if file.exists()]


def levels(crate: Crate) -> dict[Name, Graph]:
    """Who refers to whom inside each module. A module counts there with all that is inside it; itself and what is around it do
    not count."""
    graphs: dict[Name, Graph] = {}
    for reader, target, place in crate.references():
        for depth, (source, other) in enumerate(zip(reader, target, strict=False)):
            if source != other:
                graph = graphs.setdefault(reader[:depth], {})
                graph.setdefault(source, {}).setdefault(other, []).append(place)
                break
    return graphs


def circles_of(graph: Graph) -> Iterator[list[str]]:
    """One circle after another, each without its last reference from then on, until none is left."""
    left = {name: sorted(targets) for name, targets in sorted(graph.items())}
    while True:
        try:
            return TopologicalSorter(left).prepare()
        except CycleError as error:
            # It tells them in the order in which they could be built.
            circle: list[str] = error.args[1][::-1]
            left[circle[-2]].remove(circle[-1])
            yield circle


if __name__ == "__main__":
    main(run)
