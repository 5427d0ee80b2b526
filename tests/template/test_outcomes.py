"""docs/outcomes.md explains every code that a customer can read in the ledger, and none that does not exist."""

import unittest

from facts import facts
from pages import table

PAGE = "docs/outcomes.md"


class Outcomes(unittest.TestCase):
    def check(self, heading: str, codes: list[str]) -> None:
        rows = {name.strip("`"): next(iter(cells.values())) for name, cells in table(PAGE, heading).items()}
        missing, unknown = sorted({*codes} - {*rows}), sorted({*rows} - {*codes})
        wrong = [f"add a row for `{code}`, which a customer can read and would look for in vain" for code in missing]
        wrong += [f"take out the row of `{code}`, which no program says" for code in unknown]
        self.assertEqual(wrong, [], f"{PAGE}, {heading!r}")
        for code, sentence in rows.items():
            self.assertTrue(sentence.endswith("."), f"{code} is not told in a sentence")

    def test_every_outcome_of_an_attempt_is_explained(self):
        self.check("An attempt's outcome", facts()["outcomes"])

    def test_every_status_of_a_delivery_is_explained(self):
        self.check("A delivery's status", facts()["statuses"])

    def test_every_reason_is_explained(self):
        self.check("A delivery's reason", facts()["reasons"])

    def test_every_reason_for_failed_tls_says_what_to_do(self):
        said = facts()["tls_failures"]
        phrases = [phrase for phrases in table(PAGE, "Why TLS failed") for phrase in phrases.split("; ")]
        for phrase in phrases:
            self.assertTrue(any(phrase in sentence for sentence in said), f"nothing says {phrase!r}")
        for sentence in said:
            self.assertTrue(any(phrase in sentence for phrase in phrases), f"{sentence!r} is not explained")


if __name__ == "__main__":
    unittest.main()
