"""docs/outcomes.md explains every word that a customer can read in the ledger, and none that does not exist, as the portal does:
in the words of functions/portal/src/texts/en/ledger.rs."""

import re
import unittest

from facts import facts
from pages import table

PAGE = "docs/outcomes.md"


def plain(cell: str) -> str:
    """A cell without its links and the fields that it names in brackets: a page of the portal has neither there."""
    return re.sub(r" \(`[^)]*\)", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell))


class Outcomes(unittest.TestCase):
    maxDiff = None

    def check(self, heading: str, told: dict[str, list[str]]) -> None:
        rows = {name.strip("`"): [plain(cell) for cell in cells.values()] for name, cells in table(PAGE, heading).items()}
        missing, unknown = sorted({*told} - {*rows}), sorted({*rows} - {*told})
        wrong = [f"add a row for `{word}`, which a customer can read and would look for in vain" for word in missing]
        wrong += [f"take out the row of `{word}`, which no program says" for word in unknown]
        self.assertEqual(wrong, [], f"{PAGE}, {heading!r}")
        for word, sentences in told.items():
            self.assertTrue(all(sentence.endswith(".") for sentence in sentences), f"{word} is not told in a sentence")
        self.assertEqual(rows, told, f"{PAGE}, {heading!r}: the portal says it in other words")

    def test_every_outcome_of_an_attempt_is_explained(self):
        self.assertEqual([*facts()["told"]["outcomes"]], facts()["outcomes"])
        self.check("An attempt's outcome", facts()["told"]["outcomes"])

    def test_every_status_of_a_delivery_is_explained(self):
        self.check("A delivery's status", facts()["told"]["statuses"])

    def test_every_reason_is_explained(self):
        self.check("A delivery's reason", facts()["told"]["reasons"])

    def test_all_that_a_delivery_waits_for_is_explained(self):
        self.check("When nobody answers", facts()["told"]["causes"])

    def test_every_kind_of_status_says_what_to_do(self):
        self.check("What a status tells", facts()["told"]["http"])

    def test_every_reason_for_failed_tls_says_what_to_do(self):
        said, told = facts()["tls_failures"], facts()["told"]["tls"]
        self.check("Why TLS failed", told)
        phrases = [phrase for phrases in told for phrase in phrases.split("; ")]
        for phrase in phrases:
            self.assertTrue(any(phrase in sentence for sentence in said), f"nothing says {phrase!r}")
        for sentence in said:
            self.assertTrue(any(phrase in sentence for phrase in phrases), f"{sentence!r} is not explained")


if __name__ == "__main__":
    unittest.main()
