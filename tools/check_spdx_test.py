# SPDX-License-Identifier: Apache-2.0
"""A source without the licence line must be caught."""

import unittest

import check_spdx
from planted_tree import SPDX, PlantedTreeTest


class SpdxTest(PlantedTreeTest):
    check = staticmethod(check_spdx.check)
    clean = {"src/a.h": SPDX, "tools/x.py": "#!/usr/bin/env python3\n" + SPDX, "README.md": "text\n"}

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_missing_line(self):
        for path in ("src/b.cc", "tools/y.py", "cmake/z.cmake", "src/CMakeLists.txt", "tools/dev", ".ci/run"):
            self.assert_caught({path: "int x;\n"}, path)

    def test_line_that_comes_late(self):
        self.assert_caught({"src/b.cc": "#pragma once\n" + SPDX}, "src/b.cc")


if __name__ == "__main__":
    unittest.main()
