"""What no test has seen of the document is told, unless it stands there why."""

import unittest

from coverage import OUR_OWN, UNSEEN, missing
from document import document, operations


def everything() -> set[tuple[str, str]]:
    return {(operation["operationId"], status) for _, operation in operations(document()) for status in operation["responses"]}


class Missing(unittest.TestCase):
    def test_nothing_is_where_all_was_seen(self):
        self.assertEqual(missing(everything()), [])

    def test_an_answer_that_nobody_saw_is_told(self):
        for answer in [("getTask", "200"), ("getTask", "404"), ("publishEvent", "413"), ("createWebhook", "429")]:
            with self.subTest(answer=answer):
                self.assertEqual(missing(everything() - {answer}), [" ".join(answer)])

    def test_what_stands_there_is_not(self):
        for answer in [("getTask", "429"), ("getTask", "503"), ("changeWebhook", "409")]:
            with self.subTest(answer=answer):
                self.assertEqual(missing(everything() - {answer}), [])

    def test_what_stands_there_is_documented(self):
        documented = {" ".join(answer) for answer in everything()}
        for name in UNSEEN:
            with self.subTest(answer=name):
                self.assertTrue(name in documented or any(one.endswith(f" {name}") for one in documented), "take it out")
        self.assertLessEqual(set(OUR_OWN), set(UNSEEN))


if __name__ == "__main__":
    unittest.main()
