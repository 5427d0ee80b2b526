"""A stack that is brought up again is as it was asked for this time."""

import sys
import unittest
from pathlib import Path

from cfnlint.decode import cfn_yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from run_dir import ROOT
from stack import PLAIN_PORTAL


class Again(unittest.TestCase):
    def test_a_portal_of_which_nothing_is_said_is_as_the_template_has_it(self):
        parameters = cfn_yaml.load(str(ROOT / "template.yaml"))["Parameters"]
        defaults = {name: said["Default"] for name, said in parameters.items() if name.startswith("Portal")}
        self.assertEqual(PLAIN_PORTAL, defaults)


if __name__ == "__main__":
    unittest.main()
