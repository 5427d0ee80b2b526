"""Parameters and rules: what an operator may choose, and what the template refuses to deploy."""

import tomllib
import unittest

from template import ROOT, Template, holds


class PrivateTargets(unittest.TestCase):
    """A webhook that may point inside the network lets a customer read what is not his."""

    def setUp(self):
        self.template = Template()

    def refused(self, environment: str, private_targets: str) -> bool:
        parameters = {"Environment": environment, "PrivateTargets": private_targets}
        return any(
            holds(rule["RuleCondition"], parameters)
            and not all(holds(a["Assert"], parameters) for a in rule["Assertions"])
            for rule in self.template.all["Rules"].values()
        )

    def test_they_are_refused_by_default(self):
        self.assertEqual(self.template.all["Parameters"]["PrivateTargets"]["Default"], "refuse")

    def test_they_can_be_allowed_on_an_emulator_only(self):
        self.assertTrue(self.refused("prod", "allow"))
        self.assertTrue(self.refused("staging", "allow"))
        self.assertFalse(self.refused("local", "allow"))

    def test_every_environment_may_refuse_them(self):
        for environment in self.template.all["Parameters"]["Environment"]["AllowedValues"]:
            self.assertFalse(self.refused(environment, "refuse"), environment)

    def test_whoever_names_no_environment_means_production(self):
        self.assertEqual(self.template.all["Parameters"]["Environment"]["Default"], "prod")


class Retention(unittest.TestCase):
    def test_an_event_outlives_its_retries(self):
        days = Template().all["Parameters"]["RetentionDays"]
        self.assertEqual(days["Default"], 30)
        self.assertGreaterEqual(days["MinValue"], 4, "the longest built-in calendar runs for 75 h 36 min")


class ExtraDialects(unittest.TestCase):
    def test_there_are_none_unless_an_operator_writes_some_down(self):
        self.assertEqual(Template().all["Parameters"]["ExtraDialects"]["Default"], "")

    def test_they_fit_into_an_environment(self):
        template = Template()
        names = sum(map(len, template.globals["Environment"]["Variables"]))
        # On average 75 in the longest region and for a stack whose name has 30 characters; here for longer ones too.
        values = 90 * len(template.globals["Environment"]["Variables"])
        longest = template.all["Parameters"]["ExtraDialects"]["MaxLength"]
        self.assertLessEqual(names + values + longest, 4096, "Lambda would refuse the deploy")


class Secrets(unittest.TestCase):
    def test_generated_keys_are_letters_and_digits(self):
        punctuation = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        for name in ("AdminKey", "EncryptionKey", "WebhookSigningSecret"):
            generated = Template().properties(name)["GenerateSecretString"]
            self.assertEqual(generated["PasswordLength"], 64, name)
            self.assertEqual(set(generated["ExcludeCharacters"]), punctuation, f"{name} goes into a header or into JSON")


class SamConfiguration(unittest.TestCase):
    def setUp(self):
        self.environments = tomllib.loads((ROOT / "samconfig.toml").read_text())

    def test_production_is_what_a_plain_deploy_means(self):
        self.assertEqual(self.environments["default"], self.environments["prod"])
        self.assertIn("Environment=prod", self.environments["prod"]["deploy"]["parameters"]["parameter_overrides"])

    def test_production_asks_before_it_changes_anything(self):
        self.assertIs(self.environments["prod"]["deploy"]["parameters"]["confirm_changeset"], True)


if __name__ == "__main__":
    unittest.main()
