# SPDX-License-Identifier: Apache-2.0
"""An unformatted file must be caught, and --fix must mend it."""

import shutil
import tempfile
import unittest
from pathlib import Path

import check_format
from planted_tree import PlantedTreeTest


@unittest.skipUnless(shutil.which(check_format.TOOL), f"{check_format.TOOL} is not installed")
class FormatTest(PlantedTreeTest):
    check = staticmethod(check_format.check)
    clean = {".clang-format": "BasedOnStyle: Google\n", "src/a.cc": "int x = 1;\n"}

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_unformatted_file(self):
        self.assert_caught({"src/b.cc": "int   x=1 ;\n"}, "src/b.cc")

    def test_fix(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "src").mkdir()
            (root / "src/b.cc").write_text("int   x=1 ;\n")
            check_format.check(root, fix=True)
            self.assertEqual((root / "src/b.cc").read_text(), "int x = 1;\n")


if __name__ == "__main__":
    unittest.main()
