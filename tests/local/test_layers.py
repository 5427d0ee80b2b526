"""What may depend on what: a small project with a fault in it is told where the fault is, and one without it is left in peace."""

import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from layers import circles, wrong_dependencies

WORKSPACE = """
[workspace]
members = ["shared/*", "functions/*", "tests", "tests/stamps", "tests/letter"]
[workspace.dependencies]
ledger = { path = "shared/domain", package = "postrider-domain" }
serde = "1"
"""
DOMAIN = '[package]\nname = "postrider-domain"\n'
MAIL = '[package]\nname = "mail"\n'


def said(check: Callable[[Path], Iterator[str]], files: dict[str, str]) -> list[str]:
    """What is wrong in a project of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"Cargo.toml": WORKSPACE, **files}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(check(Path(folder)))


def circles_in(**modules: str) -> list[str]:
    """The circles of a function that consists of these modules; `__` stands for a folder."""
    files = {f"functions/mail/src/{name.replace('__', '/')}.rs": text for name, text in modules.items()}
    return said(circles, {"functions/mail/Cargo.toml": MAIL} | files)


class Circles(unittest.TestCase):
    def test_a_circle_is_told_with_the_places_that_make_it(self):
        found = circles_in(
            main="mod stamp;\nmod letter;\nmod post;\nuse letter::Letter;",
            letter="//! A letter.\n\nuse crate::stamp::Stamp;\npub struct Letter(Stamp);",
            stamp="pub struct Stamp;\nfn put(post: &super::post::Post) { post.put(); }",
            post="use std::io;\nuse crate::{\n    stamp::Stamp,\n    letter::{self, Letter},\n};",
        )
        self.assertEqual(
            found[:4],
            [
                "functions/mail: letter -> stamp -> post -> letter",
                "    letter -> stamp: functions/mail/src/letter.rs:3",
                "    stamp -> post: functions/mail/src/stamp.rs:2",
                "    post -> letter: functions/mail/src/post.rs:4",
            ],
        )
        self.assertEqual(found[4], "functions/mail: stamp -> post -> stamp")
        self.assertEqual(len(found), 7)

    def test_without_one_nothing_is_said(self):
        modules = {"letter": "use crate::stamp::Stamp;", "stamp": "use std::io; pub struct Stamp;"}
        self.assertEqual(circles_in(main="mod letter; mod stamp; use stamp::Stamp;", **modules), [])

    def test_a_module_and_those_inside_it_may_refer_to_each_other(self):
        found = circles_in(
            main="mod letter;",
            letter="mod paper;\nuse paper::Paper;\npub struct Letter(Paper);",
            letter__paper="use super::Letter;\nuse crate::letter;\npub struct Paper;",
        )
        self.assertEqual(found, [])

    def test_a_module_counts_with_all_that_is_inside_it(self):
        found = circles_in(
            main="mod letter; mod stamp;",
            letter="mod paper;",
            letter__paper="use super::super::stamp;",
            stamp="use crate::letter::Letter;",
        )
        self.assertEqual(found[0], "functions/mail: letter -> stamp -> letter")

    def test_modules_of_two_others_are_not_beside_each_other(self):
        letter = "mod paper { use crate::desk::ink::Ink; } mod ink { use super::paper; }"
        self.assertEqual(circles_in(main="mod letter; mod desk;", letter=letter, desk="pub mod ink { pub struct Ink; }"), [])

    def test_a_circle_inside_a_module_is_told_by_its_whole_names(self):
        found = circles_in(
            main="mod letter;",
            letter="mod paper;\nmod ink { use super::paper; }",
            letter__paper__mod="fn dry(ink: super::ink::Ink) {}",
        )
        self.assertEqual(found[0], "functions/mail: letter::ink -> letter::paper -> letter::ink")
        self.assertEqual(found[1], "    letter::ink -> letter::paper: functions/mail/src/letter.rs:2")

    def test_what_is_for_tests_alone_is_not_a_reference(self):
        found = circles_in(
            main="mod letter; mod stamp; #[cfg(test)] mod fake;",
            fake="use crate::letter;",
            letter="use crate::stamp;",
            stamp="""
                // crate::letter
                #[cfg(test)]
                use crate::letter;
                #[cfg(test)]
                /// See crate::letter.
                #[allow(dead_code)]
                mod tests { use crate::letter; }
                impl Stamp {
                    #[cfg(test)]
                    fn sample() -> Self { crate::letter::torn() }
                }
                """,
        )
        self.assertEqual(found, [])

    def test_what_follows_a_test_is_a_reference_again(self):
        stamp = "#[cfg(test)]\nuse std::io;\nuse crate::letter;"
        self.assertEqual(len(circles_in(main="mod letter; mod stamp;", letter="use crate::stamp;", stamp=stamp)), 3)

    def test_what_a_root_passes_on_belongs_to_where_it_comes_from(self):
        main = "mod letter; mod stamp; pub use stamp::{Stamp as Mark, Price};"
        found = circles_in(main=main, letter="fn put(mark: crate::Mark) {}", stamp="use super::letter;")
        self.assertEqual(found[0], "functions/mail: letter -> stamp -> letter")

        main = "mod letter; mod stamp; use letter::Letter as Mark; fn send() { use stamp::Letter as Mark; }"
        self.assertEqual(circles_in(main=main, letter="use crate::Mark;", stamp="use super::letter;"), [])
        main = "mod letter; mod desk; use desk::stamp::{self};"
        found = circles_in(main=main, letter="use super::stamp;", desk="pub mod stamp { use crate::letter; }")
        self.assertEqual(found[0], "functions/mail: desk -> letter -> desk")

    def test_macros_and_attributes_refer_too(self):
        for reference in (
            'fn say() { format!("{}", crate::letter::text()); }',
            "macro_rules! stamp { () => { $crate::letter::text() } }",
            '#[serde(with = "crate::letter::as_text")] struct Stamp;',
            "fn list() -> Vec<crate::letter::Letter> { Vec::new() }",
            "fn read() { use crate::letter::text; }",
        ):
            found = circles_in(main="mod letter; mod stamp;", letter="use crate::stamp;", stamp=reference)
            self.assertEqual(len(found), 3, reference)

    def test_the_tests_own_modules_are_held_to_it(self):
        manifest = '[package]\nname = "tests"\n[[test]]\nname = "e2e"\npath = "e2e/main.rs"\n'
        files = {
            "tests/Cargo.toml": manifest,
            "tests/e2e/main.rs": 'mod a;\n#[path = "elsewhere/b.rs"]\nmod b;',
            "tests/e2e/a.rs": "use crate::b;",
            "tests/e2e/elsewhere/b.rs": "use crate::a;",
        }
        self.assertEqual(said(circles, files)[0], "tests: a -> b -> a")


class Crates(unittest.TestCase):
    def wrong(self, **manifests: str) -> list[str]:
        """What is wrong among these crates; `__` stands for a folder."""
        files = {f"{name.replace('__', '/')}/Cargo.toml": text for name, text in manifests.items()}
        return said(wrong_dependencies, files)

    def test_a_function_depends_on_no_other(self):
        letter = '[package]\nname = "letter"\n'
        for dependency in (
            '[dependencies]\nmail = { path = "../mail" }\n',
            '[dev-dependencies]\npost = { path = "../mail", package = "mail" }\n',
            '[target."cfg(unix)".dependencies]\nmail = { path = "../mail" }\n',
        ):
            found = self.wrong(functions__mail=MAIL, functions__letter=letter + dependency)
            self.assertEqual(found, ["functions/letter/Cargo.toml: depends on functions/mail"], dependency)

    def test_the_tests_may_depend_on_all(self):
        tests = '[package]\nname = "tests"\n[dependencies]\nmail = { path = "../functions/mail" }\nledger.workspace = true\n'
        self.assertEqual(self.wrong(shared__domain=DOMAIN, functions__mail=MAIL, tests=tests), [])

    def test_only_tests_depend_on_a_crate_for_tests(self):
        tests, stamps = '[package]\nname = "tests"\n', '[package]\nname = "stamps"\n'
        letter = '[package]\nname = "letter"\n[{}]\nstamps = {{ path = "../../tests/stamps" }}\n'
        for folder in ("shared/domain", "functions/letter", "tests/letter"):
            for kind, wrong in (
                ("dev-dependencies", []),
                ("dependencies", [f"{folder}/Cargo.toml: depends on tests/stamps"]),
                ("build-dependencies", [f"{folder}/Cargo.toml: depends on tests/stamps"]),
            ):
                crates = {folder.replace("/", "__"): letter.format(kind), "tests": tests, "tests__stamps": stamps}
                self.assertEqual(self.wrong(**crates), wrong, (folder, kind))

    def test_in_shared_the_list_says_who_is_below(self):
        aws = '[package]\nname = "postrider-aws"\n[dependencies]\nserde.workspace = true\n'
        below = self.wrong(shared__domain=DOMAIN, shared__aws=f"{aws}ledger.workspace = true\n")
        self.assertEqual(below, [])
        above = self.wrong(shared__domain=f'{DOMAIN}[dependencies]\npostrider-aws = {{ path = "../aws" }}\n', shared__aws=aws)
        self.assertEqual(above, ["shared/domain/Cargo.toml: depends on shared/aws"])

    def test_a_crate_in_no_layer_is_told(self):
        self.assertEqual(len(self.wrong(shared__attic='[package]\nname = "attic"\n')), 1)


if __name__ == "__main__":
    unittest.main()
