# SPDX-License-Identifier: Apache-2.0
"""clang-tidy with the settings of this tree must catch a planted slip and pass clean code."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import check_tidy
from source_tree import HERE


class TidyTest(unittest.TestCase):
    def faults_of(self, text):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            (root / "src/core").mkdir(parents=True)
            (root / "src/core/a.cc").write_text(text)
            shutil.copy(HERE / ".clang-tidy", root)
            entry = {"directory": str(root), "file": str(root / "src/core/a.cc"),
                     "command": f"c++ -std=c++20 -c {root}/src/core/a.cc"}
            (root / "compile_commands.json").write_text(json.dumps([entry]))
            return check_tidy.check(root, root, check_tidy.units(root, root))

    def test_clean_code_passes(self):
        self.assertEqual(self.faults_of("int twice(int value) { return 2 * value; }\n"), [])

    def test_use_after_move(self):
        faults = self.faults_of(
            "#include <string>\n#include <utility>\nvoid take(std::string s);\n"
            "std::size_t f(std::string s) { take(std::move(s)); return s.size(); }\n"
        )
        self.assertTrue(any("after it was moved" in fault for fault in faults), faults)

    def test_name_against_the_house(self):
        faults = self.faults_of("int TwiceIt(int value) { return 2 * value; }\n")
        self.assertTrue(any("invalid case style" in fault for fault in faults), faults)


if __name__ == "__main__":
    unittest.main()
