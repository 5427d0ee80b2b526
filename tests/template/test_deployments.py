"""Gradual deployments: nothing of them is there unless an operator asks, and then a release that fails goes back by itself."""

import unittest

from template import Template, holds, on_aws
from test_parameters import refused

GRADUALLY = "DeploysGradually"
FUNCTIONS = ("fanout", "deliver")


class Deployments(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.parameters = self.template.all["Parameters"]

    def test_work_moves_at_once_unless_an_operator_says_otherwise(self):
        self.assertEqual(self.parameters["GradualDeployment"]["Default"], "no")
        chosen, on_aws_alone = self.template.all["Conditions"][GRADUALLY]["Fn::And"]
        self.assertEqual(chosen, {"Condition": "OnAws"}, "an emulator knows no CodeDeploy")
        self.assertFalse(holds(on_aws_alone, {"GradualDeployment": "no"}))
        self.assertTrue(holds(on_aws_alone, {"GradualDeployment": "Canary10Percent5Minutes"}))

    def test_without_it_nothing_is_there_but_the_functions_themselves(self):
        kinds = ("AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup")
        for kind in kinds:
            for name, resource in self.template.of_type(kind).items():
                self.assertEqual(resource["Condition"], GRADUALLY, name)
        for name in FUNCTIONS:
            self.assertNotIn("Description", on_aws(self.template.function(name)))
            for mapping in self.template.mappings(name).values():
                self.assertEqual(on_aws(mapping)["FunctionName"], {"Ref": f"{name.capitalize()}Function"})

    def test_with_it_every_source_leads_to_the_alias(self):
        for name in FUNCTIONS:
            mappings = self.template.mappings(name)
            self.assertEqual(len(mappings), 3, name)
            for source, mapping in mappings.items():
                alias = {"Ref": f"{name.capitalize()}Alias"}
                self.assertEqual(on_aws(mapping, GRADUALLY)["FunctionName"], alias, f"{source} would pass the new version by")

    def test_a_release_is_a_version_of_each_of_the_two(self):
        self.assertTrue(refused(self.template, GradualDeployment="Canary10Percent5Minutes"), "nothing would ever be deployed")
        self.assertFalse(refused(self.template, GradualDeployment="Canary10Percent5Minutes", Release="0.2.0"))
        self.assertFalse(refused(self.template))
        for name in FUNCTIONS:
            function, version = f"{name.capitalize()}Function", self.template.resources[f"{name.capitalize()}Version"]
            self.assertEqual(version["Properties"], {"FunctionName": {"Ref": function}, "Description": {"Ref": "Release"}})
            same = "a program that is the same in two releases makes no version, and the update would fail"
            self.assertEqual(on_aws(self.template.function(name), GRADUALLY)["Description"], {"Ref": "Release"}, same)
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                self.assertEqual(version[policy], "Retain", "there would be nothing to go back to")
            alias = self.template.properties(f"{name.capitalize()}Alias")
            expected = {"Fn::GetAtt": [f"{name.capitalize()}Version", "Version"]}
            self.assertEqual((alias["FunctionName"], alias["FunctionVersion"]), ({"Ref": function}, expected))

    def test_a_release_has_a_name_that_fits(self):
        for value in ("", "0.2.0", "0.2.0-rc.1+a1b2c3d", "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"):
            self.assertRegex(value, self.parameters["Release"]["AllowedPattern"])
        for value in ("0.2.0 beta", "v1/2"):
            self.assertNotRegex(value, self.parameters["Release"]["AllowedPattern"])

    def test_codedeploy_moves_the_alias_as_it_was_chosen(self):
        for name in FUNCTIONS:
            group = f"{name.capitalize()}Deployments"
            policy = self.template.resources[f"{name.capitalize()}Alias"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            self.assertEqual(policy, {"ApplicationName": {"Ref": "Deployments"}, "DeploymentGroupName": {"Ref": group}})
            way = self.template.properties(group)["DeploymentConfigName"]
            self.assertEqual(way, {"Fn::Sub": "CodeDeployDefault.Lambda${GradualDeployment}"})
        for way in self.parameters["GradualDeployment"]["AllowedValues"]:
            self.assertRegex(way, r"^(no|Canary10Percent(5|10|15|30)Minutes|Linear10PercentEvery(1Minute|(2|3|10)Minutes))$")

    def test_alarms_take_it_back(self):
        alarms = set(self.template.of_type("AWS::CloudWatch::Alarm"))
        for name in FUNCTIONS:
            group = self.template.properties(f"{name.capitalize()}Deployments")
            watched = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
            self.assertTrue(group["AlarmConfiguration"]["Enabled"] and group["AutoRollbackConfiguration"]["Enabled"])
            self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
            self.assertLessEqual({"ReleaseErrorsAlarm", "UnreadableRowsAlarm"}, watched)
            self.assertLessEqual(watched, alarms)

    def test_errors_of_the_new_version_alone_count(self):
        alarm = self.template.properties("ReleaseErrorsAlarm")
        told = set()
        for metric in (one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one):
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Metric"]["Dimensions"]}
            function = dimensions["FunctionName"]["Ref"]
            version = function.replace("Function", "Version")
            self.assertEqual(dimensions["Resource"], {"Fn::Sub": f"${{{function}}}:live"})
            self.assertEqual(dimensions["ExecutedVersion"], {"Fn::GetAtt": [version, "Version"]}, "the old one's would count")
            self.assertEqual(self.template.properties(function.replace("Function", "Alias"))["Name"], "live")
            told.add(function.removesuffix("Function").lower())
        self.assertEqual(told, set(FUNCTIONS))
        self.assertLess(alarm["Metrics"][1]["MetricStat"]["Period"] * alarm["EvaluationPeriods"], 5 * 60, "all would have moved")

    def test_it_may_move_these_two_and_no_others(self):
        aliases, alarms = self.template.statements("DeploymentsRole", GRADUALLY)
        functions = {str(resource) for resource in aliases["Resource"]}
        self.assertTrue(all("FanoutFunction" in one or "DeliverFunction" in one for one in functions), functions)
        self.assertEqual(alarms["Action"], "cloudwatch:DescribeAlarms")


if __name__ == "__main__":
    unittest.main()
