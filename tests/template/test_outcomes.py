"""docs/outcomes.md explains every code that a customer can read in the ledger, and none that does not exist."""

import re
import unittest

from source import variants
from template import ROOT

PAGE = ROOT / "docs" / "outcomes.md"
STATUS = "status_{status}"


def explained(section: str) -> dict[str, str]:
    """The codes in a section's table, each with its sentence."""
    text = PAGE.read_text()
    (body,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|$", body, re.MULTILINE)
    codes = [code for code, _ in rows]
    assert len(codes) == len(set(codes)), f"{section}: a code stands there twice"
    return dict(rows)


class Outcomes(unittest.TestCase):
    def check(self, section: str, codes: set[str]) -> None:
        rows = explained(section)
        self.assertGreater(len(codes), 4, "the codes were not found in the source")
        self.assertEqual(set(rows), codes, f"{section}: a customer would look in vain, or read of what does not exist")
        for code, sentence in rows.items():
            self.assertTrue(sentence.endswith("."), f"{code} is not told in a sentence")

    def test_every_outcome_of_an_attempt_is_explained(self):
        codes = variants("shared/domain/src/attempt.rs", "Outcome", "code")
        self.check("An attempt's outcome", {code.replace(STATUS, "status_<code>") for code in codes})

    def test_every_status_of_a_delivery_is_explained(self):
        self.check("A delivery's status", variants("shared/domain/src/delivery/status.rs", "Status", "as_str"))

    def test_every_reason_is_explained(self):
        self.check("A delivery's reason", variants("shared/domain/src/delivery/status.rs", "Reason", "as_str"))

    def test_every_reason_for_failed_tls_says_what_to_do(self):
        sources = [(ROOT / "functions/deliver/src" / name).read_text() for name in ("tls_failure.rs", "failure.rs")]
        # A connection that breaks off is `reset`, whenever it does.
        code = " ".join(source.split("#[cfg(test)]")[0] for source in sources)
        said = set(re.findall(r'"([^"\n]*\bTLS\b[^"\n]*|the receiver [^"\n]*(?:certificate|host name)[^"\n]*)"', code))
        said = {sentence for sentence in said if "the connection broke" not in sentence}
        self.assertGreater(len(said), 10, "the sentences were not found in the source")
        (section,) = re.findall(r"^## Why TLS failed\n(.*?)^## ", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        rows = re.findall(r"^\| (?!`error`|---)(.+?) \| (.+?) \|$", section, re.MULTILINE)
        phrases = [phrase for phrases, _ in rows for phrase in phrases.split("; ")]
        for phrase in phrases:
            self.assertTrue(any(phrase in sentence for sentence in said), f"nothing says {phrase!r}")
        for sentence in said:
            self.assertTrue(any(phrase in sentence for phrase in phrases), f"{sentence!r} is not explained")


if __name__ == "__main__":
    unittest.main()
