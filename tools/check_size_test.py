# SPDX-License-Identifier: Apache-2.0
"""Files and functions over their limits must be caught, and the list may only shrink."""

import unittest

import check_size
from planted_tree import PlantedTreeTest

LONG_BODY = "  f();\n" * 75


class SizeTest(PlantedTreeTest):
    check = staticmethod(check_size.check)
    clean = {
        "src/core/ledger/ledger.cc": "namespace hm {\nLedger::Ledger(int a)\n    : a_{a}, b_{2} {\n"
        + "  f();\n" * 60
        + "}\nstruct S {\n  int x{1};\n" + "  int y;\n" * 100 + "};\nconst int k[] = {\n" + "  1,\n" * 90
        + "};\n}  // namespace hm\n"
    }

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_long_file(self):
        self.assert_caught({"src/core/a.h": "int x;\n" * 601}, "file of 601 lines, at most 600")

    def test_long_test_file(self):
        self.assert_clean({"src/core/a_test.cc": "int x;\n" * 1000})
        self.assert_caught({"src/core/a_test.cc": "int x;\n" * 1001}, "at most 1000")

    def test_long_function(self):
        self.assert_caught({"src/a.cc": "void f() {\n" + LONG_BODY + "}\n"}, "function of 77 lines")

    def test_long_member_and_constructor_and_test(self):
        self.assert_caught({"src/a.cc": "class A {\n  void f() const {\n" + LONG_BODY + "  }\n};\n"}, "function")
        self.assert_caught({"src/a.cc": "A::A(int a) : a_{a} {\n" + LONG_BODY + "}\n"}, "function")
        self.assert_caught({"src/a.cc": "TEST(A, Claims) {\n" + LONG_BODY + "}\n"}, "function")

    def test_long_python_function(self):
        self.assert_caught({"tools/a.py": "def f():\n" + "    g()\n" * 75}, "function")

    def test_allowed_size_passes_and_may_not_grow(self):
        long = {"src/a.cc": "void f() {\n" + LONG_BODY + "}\n"}
        self.assert_clean({**long, check_size.ALLOWED: "src/a.cc:f 77\n"})
        self.assert_caught({**long, check_size.ALLOWED: "src/a.cc:f 76\n"}, "at most 76")

    def test_needless_allowance(self):
        self.assert_caught({check_size.ALLOWED: "src/gone.cc:f 77\n"}, "remove the entry")
        self.assert_caught(
            {"src/a.cc": "void f() {\n" + LONG_BODY + "}\n", check_size.ALLOWED: "src/a.cc:f 90\n"},
            "lower it to 77",
        )


if __name__ == "__main__":
    unittest.main()
