"""The modules of a Rust crate, and what each refers to in the others: read from the sources, without the tests among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

RUST = Parser(Language(tree_sitter_rust.language()))
# What a path within a crate begins with.
HEADS = ("crate", "$crate", "self", "super")
FOR_TESTS = "#[cfg(test)]"
# A module by the names that lead to it from the crate's root, which has none.
Name = tuple[str, ...]


@dataclass
class Module:
    """The modules inside it, what it has under a name of its own by `use`, and each path in it with its place."""

    inside: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    paths: list[tuple[list[str], str]] = field(default_factory=list)


class Crate:
    """All modules of a crate, from its root's file. Places are told as seen from the folder `top`."""

    def __init__(self, root: Path, top: Path) -> None:
        self.top = top
        self.modules: dict[Name, Module] = {}
        self.read((), root, root.parent)

    def references(self) -> Iterator[tuple[Name, Name, str]]:
        """From which module to which, and where."""
        for name, module in self.modules.items():
            for path, place in module.paths:
                yield name, self.target(name, name, path), place

    def target(self, reader: Name, at: Name, path: list[str]) -> Name:
        """The module that has what `path` leads to from the module `at`; that one itself, where it leads out of the crate. What a
        module around the reader has by `use` is followed to where it comes from; what another passes on counts as its own."""
        for index, step in enumerate(path):
            module = self.modules[at]
            if step in HEADS:
                at = {"self": at, "super": at[:-1]}.get(step, ())
            elif step in module.inside:
                at = (*at, step)
            elif step in module.imports and at != reader and at == reader[: len(at)]:
                return self.target(reader, at, module.imports[step] + path[index + 1 :])
            else:
                break
        return at

    def read(self, name: Name, file: Path, folder: Path) -> None:
        self.take(name, file, folder, RUST.parse(file.read_bytes()).root_node)

    def take(self, name: Name, file: Path, folder: Path, body: Node) -> None:
        """A module from its body, which is a file or stands in one; `folder` has the files of the modules inside it."""
        module = self.modules[name] = Module()
        for node in outside_of_tests(body):
            if node.type == "mod_item":
                inner = text(node.child_by_field_name("name"))
                module.inside.add(inner)
                if block := node.child_by_field_name("body"):
                    self.take((*name, inner), file, folder / inner, block)
                else:
                    self.read((*name, inner), file_of(node, inner, file, folder), folder / inner)
            else:
                imported = list(uses(node))
                if node.type == "use_declaration":
                    module.imports |= {own: path for own, path, _ in imported}
                found = [(path, at) for _, path, at in imported] + list(inline(node))
                module.paths += [(path, f"{file.relative_to(self.top)}:{at.start_point.row + 1}") for path, at in found]


def text(node: Node | None) -> str:
    return node.text.decode() if node and node.text else ""


def outside_of_tests(node: Node) -> Iterator[Node]:
    """A node's children without what is compiled for tests only."""
    for_tests = False
    for child in node.children:
        if child.type == "attribute_item":
            for_tests |= text(child) == FOR_TESTS
        if not for_tests:
            yield child
        for_tests &= child.is_extra or child.type == "attribute_item"


def file_of(module: Node, name: str, file: Path, folder: Path) -> Path:
    before = module.prev_named_sibling
    while before and before.type == "attribute_item":
        if text(before).startswith("#[path ="):
            return file.parent / text(before).split('"')[1]
        before = before.prev_named_sibling
    beside = folder / f"{name}.rs"
    return beside if beside.exists() else folder / name / "mod.rs"


def uses(node: Node) -> Iterator[tuple[str, list[str], Node]]:
    """What each `use` in a node brings: the name here, the path that it stands for, and where."""
    if node.type == "use_declaration":
        yield from brought(node.child_by_field_name("argument"), [])
    else:
        for child in outside_of_tests(node):
            yield from uses(child)


def brought(node: Node | None, before: list[str]) -> Iterator[tuple[str, list[str], Node]]:
    if node is None:
        return
    inner = before + text(node.child_by_field_name("path")).split("::")
    if node.type == "use_list":
        for child in node.named_children:
            yield from brought(child, before)
    elif node.type == "scoped_use_list":
        yield from brought(node.child_by_field_name("list"), inner)
    elif node.type == "use_as_clause":
        yield text(node.child_by_field_name("alias")), inner, node
    elif node.type == "self":
        yield before[-1], before, node
    else:
        path = before + text(node).split("::")
        yield path[-1], path, node


def inline(node: Node) -> Iterator[tuple[list[str], Node]]:
    """The paths within the crate in a node's code. Words are put together for it, since macros consist of nothing else; and a
    text may be one, as in serde's attributes."""
    path: list[Node] = []
    for word in [*words(node), None]:
        if path and "::" not in (text(word), text(path[-1])):
            steps = "".join(map(text, path)).split("::")
            if steps[0] in HEADS and len(steps) > 1:
                yield steps, path[0]
            path = []
        path += [word] if word else []


def words(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    elif node.type != "use_declaration":
        for child in outside_of_tests(node):
            yield from words(child)
