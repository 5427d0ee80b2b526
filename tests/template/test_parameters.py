"""Parameters and rules: what an operator may choose, and what the template refuses to deploy."""

import re
import tomllib
import unittest

from template import FUNCTIONS, ROOT, Template, holds, on_aws


def refused(template: Template, **chosen: str) -> bool:
    """Whether a rule of the template refuses what an operator chose; all else is as it is by default."""
    defaults = {name: parameter.get("Default") for name, parameter in template.all["Parameters"].items()}
    parameters = {**defaults, **chosen}
    return any(
        holds(rule["RuleCondition"], parameters) and not all(holds(a["Assert"], parameters) for a in rule["Assertions"])
        for rule in template.all["Rules"].values()
    )


class PrivateTargets(unittest.TestCase):
    """A webhook that may point inside the network lets a customer read what is not his."""

    def setUp(self):
        self.template = Template()

    def refused(self, environment: str, private_targets: str) -> bool:
        return refused(self.template, Environment=environment, PrivateTargets=private_targets)

    def test_they_are_refused_by_default(self):
        self.assertEqual(self.template.all["Parameters"]["PrivateTargets"]["Default"], "refuse")

    def test_they_can_be_allowed_on_an_emulator_only(self):
        self.assertTrue(self.refused("prod", "allow"))
        self.assertTrue(self.refused("staging", "allow"))
        self.assertFalse(self.refused("local", "allow"))

    def test_every_environment_may_refuse_them(self):
        for environment in self.template.all["Parameters"]["Environment"]["AllowedValues"]:
            self.assertFalse(self.refused(environment, "refuse"), environment)

    def test_functions_on_aws_are_not_even_told_of_them(self):
        for function in FUNCTIONS:
            variables = on_aws(self.template.environment(function))["Variables"]
            self.assertNotIn("PRIVATE_TARGETS", variables, f"{function}: without it none are allowed, whatever is chosen")

    def test_whoever_names_no_environment_means_production(self):
        self.assertEqual(self.template.all["Parameters"]["Environment"]["Default"], "prod")


class OutageSeconds(unittest.TestCase):
    """Outages that begin after seconds: a deployment of the receiver's would park what is for it."""

    def setUp(self):
        self.template = Template()
        self.parameter = self.template.all["Parameters"]["OutageSeconds"]

    def test_outages_begin_after_minutes_unless_somebody_says_otherwise(self):
        self.assertEqual(self.parameter["Default"], "")

    def test_somebody_can_on_an_emulator_only(self):
        for environment in self.template.all["Parameters"]["Environment"]["AllowedValues"]:
            self.assertEqual(refused(self.template, Environment=environment, OutageSeconds="5"), environment != "local")
            self.assertFalse(refused(self.template, Environment=environment, OutageSeconds=""), environment)

    def test_it_is_as_many_seconds_as_the_functions_take(self):
        for value in ("", "1", "5", "10", "99", "100", "899", "900"):
            self.assertRegex(value, self.parameter["AllowedPattern"])
        for value in ("0", "05", "901", "1000", "5s", "-5", "1.5"):
            self.assertNotRegex(value, self.parameter["AllowedPattern"])

    def test_functions_on_aws_know_nothing_of_it(self):
        for function in FUNCTIONS:
            variables = on_aws(self.template.environment(function))["Variables"]
            self.assertNotIn("OUTAGE_SECONDS", variables, f"{function}: nothing is what the programs take for five minutes")


class Retention(unittest.TestCase):
    def test_it_is_thirty_days_unless_an_operator_says_otherwise(self):
        self.assertEqual(Template().all["Parameters"]["RetentionDays"]["Default"], 30)


class ExtraDialects(unittest.TestCase):
    def test_there_are_none_unless_an_operator_writes_some_down(self):
        self.assertEqual(Template().all["Parameters"]["ExtraDialects"]["Default"], "")


class Targets(unittest.TestCase):
    """The operator's lists. What they may hold is judged by the programs; the template only sorts out slips."""

    def matches(self, name: str, value: str) -> bool:
        return re.search(Template().all["Parameters"][name]["AllowedPattern"], value) is not None

    def test_there_are_none_unless_an_operator_writes_some_down(self):
        for name in ("AllowedTargetCidrs", "DeniedTargetDomains"):
            self.assertEqual(Template().all["Parameters"][name]["Default"], "")
            self.assertTrue(self.matches(name, ""))

    def test_networks_can_be_allowed_anywhere(self):
        rules = str(Template().all["Rules"])
        self.assertNotIn("AllowedTargetCidrs", rules, "one's own network is no matter of the environment")
        for value in ("10.20.0.0/16", "10.20.0.0/16,FD12:3456::/48", "192.168.7.9"):
            self.assertTrue(self.matches("AllowedTargetCidrs", value), value)
        for value in ("10.20.0.0/16, 10.30.0.0/16", "example.com", "10.20.0.0/16,", "10.20.0.0/16;10.30.0.0/16"):
            self.assertFalse(self.matches("AllowedTargetCidrs", value), value)

    def test_domains_can_be_denied(self):
        for value in ("example.com", "example.com,xn--bcher-kva.example,my_zone.example", "ru"):
            self.assertTrue(self.matches("DeniedTargetDomains", value), value)
        for value in ("example.com, example.org", "*.example.com", "https://example.com", "example.com,", "bücher.example"):
            self.assertFalse(self.matches("DeniedTargetDomains", value), value)


class Network(unittest.TestCase):
    def test_subnets_and_security_groups_come_together(self):
        subnets, groups = "subnet-0a1b2c3d,subnet-4e5f6a7b", "sg-0a1b2c3d"
        self.assertTrue(refused(Template(), VpcSubnetIds=subnets))
        self.assertTrue(refused(Template(), VpcSecurityGroupIds=groups), "it would be ignored")
        self.assertFalse(refused(Template(), VpcSubnetIds=subnets, VpcSecurityGroupIds=groups))
        self.assertFalse(refused(Template()))

    def test_they_are_lists_without_blanks(self):
        parameters = Template().all["Parameters"]
        for name, prefix in (("VpcSubnetIds", "subnet-"), ("VpcSecurityGroupIds", "sg-")):
            pattern = parameters[name]["AllowedPattern"]
            for value in ("", f"{prefix}0a1b2c3d", f"{prefix}0a1b2c3d,{prefix}0123456789abcdef0"):
                self.assertRegex(value, pattern)
            for value in (f"{prefix}0a1b2c3d, {prefix}4e5f6a7b", f"{prefix}0a1b2c3d,", "vpc-0a1b2c3d"):
                self.assertNotRegex(value, pattern)


class Domain(unittest.TestCase):
    def test_a_name_needs_a_certificate(self):
        certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
        self.assertTrue(refused(Template(), ApiDomainName="hooks.example.com"))
        self.assertFalse(refused(Template(), ApiDomainName="hooks.example.com", ApiCertificateArn=certificate))
        self.assertRegex(certificate, Template().all["Parameters"]["ApiCertificateArn"]["AllowedPattern"])

    def test_what_is_given_without_its_name_is_refused(self):
        certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
        self.assertTrue(refused(Template(), ApiCertificateArn=certificate), "it would be ignored")
        self.assertTrue(refused(Template(), ApiDomainPath="webhooks"), "it would be ignored")
        self.assertTrue(refused(Template(), ApiOwnAddress="no"), "the API could not be called at all")

    def test_a_path_has_no_slash_at_its_ends(self):
        pattern = Template().all["Parameters"]["ApiDomainPath"]["AllowedPattern"]
        for value in ("", "webhooks", "internal/web-hooks_2"):
            self.assertRegex(value, pattern)
        for value in ("/webhooks", "webhooks/", "web//hooks", "web hooks"):
            self.assertNotRegex(value, pattern)

    def test_keys_and_sessions_go_nowhere_in_the_clear(self):
        pattern = Template().all["Parameters"]["PublicUrl"]["AllowedPattern"]
        here = (
            "http://127.0.0.1:4566/_aws/x/$default",
            "http://localhost",
            "http://[::1]:80/a",
            "http://x.execute-api.localhost:4566",
        )
        for value in ("", "https://hooks.example.com", "https://hooks.example.com/a/b", *here):
            self.assertRegex(value, pattern)
        elsewhere = (
            "http://hooks.example.com",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "http://a@b.localhost",
        )
        for value in ("hooks.example.com", "https://hooks.example.com/", "ftp://localhost", *elsewhere):
            self.assertNotRegex(value, pattern)

    def test_a_name_is_a_name(self):
        pattern = Template().all["Parameters"]["ApiDomainName"]["AllowedPattern"]
        for value in ("", "hooks.example.com", "xn--bcher-kva.example"):
            self.assertRegex(value, pattern)
        for value in ("https://hooks.example.com", "hooks.example.com/v1", "Hooks.example.com", "localhost"):
            self.assertNotRegex(value, pattern)


class UserAgent(unittest.TestCase):
    def test_it_is_a_header_or_nothing(self):
        parameter = Template().all["Parameters"]["UserAgent"]
        self.assertEqual(parameter["Default"], "")
        for value in ("", "A", "Acme-Webhooks/1", "Acme Webhooks (+https://acme.example)"):
            self.assertRegex(value, parameter["AllowedPattern"])
        for value in (" Acme", "Acme ", "Ac\nme", "Acmé"):
            self.assertNotRegex(value, parameter["AllowedPattern"])


class EventTypes(unittest.TestCase):
    def test_they_are_open_unless_an_operator_closes_them(self):
        parameter = Template().all["Parameters"]["EventTypes"]
        self.assertEqual((parameter["Default"], parameter["AllowedValues"]), ("open", ["open", "closed"]))


class Portal(unittest.TestCase):
    """What the portal is called, and who may frame it: the function reads each of these at its start."""

    def setUp(self):
        self.template = Template()
        self.parameters = self.template.all["Parameters"]

    def check(self, name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
        for value in good:
            self.assertRegex(value, self.parameters[name]["AllowedPattern"])
        for value in bad:
            self.assertNotRegex(value, self.parameters[name]["AllowedPattern"])

    def test_its_name_is_words(self):
        self.check("PortalName", ("", "Acme", "Acme & Söhne: Webhooks"), (" ", " Acme", "<b>Acme", 'Ac"me', "Ac\\me"))

    def test_its_accent_is_a_colour(self):
        self.check("PortalAccent", ("#1d5f8a", "#FFD400"), ("", "1d5f8a", "#fff", "red", "#1d5f8a;"))

    def test_its_language_is_one_that_it_has(self):
        folders = {path.name for path in (ROOT / "functions" / "portal" / "src" / "texts").iterdir() if path.is_dir()}
        self.assertEqual(set(self.parameters["PortalLanguage"]["AllowedValues"]), folders)

    def test_nobody_frames_it_unless_an_operator_says_so(self):
        self.assertEqual(self.parameters["PortalFrameAncestors"]["Default"], "")
        good = ("", "https://app.example.com", "https://app.example.com:8443,http://localhost:3000")
        bad = (
            "*",
            "https://*.example.com",
            "https://app.example.com/",
            "app.example.com",
            "https://a.example, https://b.example",
            "'self'",
        )
        self.check("PortalFrameAncestors", good, bad)

    def test_the_way_back_is_an_address_of_the_web(self):
        good = ("", "https://app.example.com", "https://app.example.com/settings?tab=webhooks#top")
        self.check("PortalReturnUrl", good, ("javascript:alert(1)", "/settings", "https://a b", 'https://app.example.com/"'))

    def test_it_calls_the_api_where_the_output_says_that_it_is(self):
        told = self.template.environment("portal")["Variables"]["API_URL"]
        self.assertEqual(told, self.template.all["Outputs"]["ApiUrl"]["Value"])


class FipsEndpoints(unittest.TestCase):
    """AWS's endpoints with validated cryptography, for who must use them."""

    def setUp(self):
        self.template = Template()

    def test_an_operator_switches_them_on(self):
        self.assertEqual(self.template.all["Parameters"]["FipsEndpoints"]["Default"], "no", "most regions have none")
        called = self.template.all["Conditions"]["FipsEndpointsAreCalled"]
        self.assertEqual([holds(called, {"FipsEndpoints": chosen}) for chosen in ("no", "yes")], [False, True])

    def test_then_every_function_calls_them(self):
        told = {"Fn::If": ["FipsEndpointsAreCalled", "true", {"Ref": "AWS::NoValue"}]}
        for function in FUNCTIONS:
            variables = self.template.environment(function)["Variables"]
            self.assertEqual(variables["AWS_USE_FIPS_ENDPOINT"], told, f"{function} would call AWS by other endpoints")


class Environment(unittest.TestCase):
    def longest(self, value: object, template: Template) -> int:
        """How long a value can get. A resource's name or ARN has on average 83 characters in the region with the longest
        name and for a stack whose name has 30; here for longer ones too."""
        if not isinstance(value, dict):
            return len(str(value))
        if (choice := value.get("Fn::If")) is not None:
            return max(self.longest(chosen, template) for chosen in choice[1:] if chosen != {"Ref": "AWS::NoValue"})
        parameter = template.all["Parameters"].get(value.get("Ref"))
        if parameter is None:
            return 90
        allowed = [len(str(choice)) for choice in parameter.get("AllowedValues", [])]
        length = parameter.get("MaxLength") or max(allowed, default=len(str(parameter.get("MaxValue"))))
        # Dialects are JSON, whose quotation marks Lambda counts with a backslash each: it measures all of it as JSON.
        return length * 6 // 5 if value["Ref"] == "ExtraDialects" else length

    def test_the_longest_lists_fit_into_every_function(self):
        template = Template()
        for function in FUNCTIONS:
            # The emulator, which bounds nothing, has one more for deliver: how soon an outage begins there.
            variables = on_aws(template.environment(function))["Variables"]
            total = 2 + sum(len(name) + self.longest(value, template) + len('"":"",') for name, value in variables.items())
            self.assertLessEqual(total, 4096, f"Lambda would refuse to deploy {function}")


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
