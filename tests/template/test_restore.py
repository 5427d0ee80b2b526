"""restore.yaml is what lasts of template.yaml: the same tables and secrets, which template.yaml then finds in the stack."""

import unittest

from cfnlint.decode import cfn_yaml

from template import ROOT, Template

# What a table has not, as DynamoDB restores or imports it.
LACKING = {"StreamSpecification", "TimeToLiveSpecification", "PointInTimeRecoverySpecification", "DeletionProtectionEnabled"}
NOTHING = {"Ref": "AWS::NoValue"}
POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


class Restore(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.restore = cfn_yaml.load(str(ROOT / "restore.yaml"))
        kept = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret")
        self.lasting = {name: each for name, each in self.template.resources.items() if each["Type"] in kept}

    def test_it_has_every_table_and_secret_and_nothing_else(self):
        self.assertEqual(set(self.restore["Resources"]), set(self.lasting))
        for name, resource in self.restore["Resources"].items():
            told = {key: resource.get(key) for key in ("Type", *POLICIES)}
            self.assertEqual(told, {key: self.lasting[name].get(key) for key in told}, name)

    def test_whole_tables_are_the_templates_and_bare_ones_lack_what_dynamodb_does_not_restore(self):
        for name, table in self.template.of_type("AWS::DynamoDB::Table").items():
            shown, own = self.restore["Resources"][name]["Properties"], table["Properties"]
            self.assertEqual(shown.keys(), own.keys(), name)
            for key, value in own.items():
                expected = {"Fn::If": ["TablesAreWhole", value, NOTHING]} if key in LACKING else value
                self.assertEqual(shown[key], expected, f"{name}.{key}")

    def test_secrets_are_the_templates_or_they_would_be_made_anew(self):
        for name, secret in self.template.of_type("AWS::SecretsManager::Secret").items():
            self.assertEqual(self.restore["Resources"][name], secret, name)

    def test_what_an_import_takes_ends_before_the_secrets(self):
        head, secrets = (ROOT / "restore.yaml").read_text().split("\n  AdminKey:\n")
        self.assertEqual(head.count("Type: AWS::DynamoDB::Table"), len(self.template.of_type("AWS::DynamoDB::Table")))
        self.assertNotIn("AWS::SecretsManager", head)
        self.assertNotIn("AWS::DynamoDB", secrets)

    def test_what_both_ask_for_means_the_same(self):
        for name in ("Environment", "KmsKeyArn", "TableProtection"):
            told = {
                key: self.restore["Parameters"][name].get(key) for key in ("Type", "Default", "AllowedValues", "AllowedPattern")
            }
            self.assertEqual(told, {key: self.template.all["Parameters"][name].get(key) for key in told}, name)
        for name in ("OnAws", "TablesAreProtected", "HasOwnKey"):
            self.assertEqual(self.restore["Conditions"][name], self.template.all["Conditions"][name], name)

    def test_an_import_may_have_no_outputs(self):
        self.assertNotIn("Outputs", self.restore)
        self.assertNotIn("Transform", self.restore)


if __name__ == "__main__":
    unittest.main()
