# SPDX-License-Identifier: Apache-2.0
"""Banned words and folders must be caught."""

import unittest

import check_words
from planted_tree import PlantedTreeTest


class WordsTest(PlantedTreeTest):
    check = staticmethod(check_words.check)
    clean = {
        "src/core/ledger/ledger.cc": "// Nothing is thrown; we throw nothing. static_assert(true);\n"
        'auto s = "throw";\nstatic_assert(true);\n',
        "docs/guide/a.md": "The state lies in `~/.local/state` and `build/release`.\n",
        "fuzz/corpus/codec/a.txt": "TO" "DO\n",
    }

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_folder_names(self):
        for name in ("util", "common", "helpers", "manager"):
            self.assert_caught({f"src/foundation/{name}/a.h": "\n"}, "says nothing")

    def test_unfinished_work(self):
        self.assert_caught({"src/a.cc": "// TO" "DO: later\n"}, "finish it")
        self.assert_caught({"tools/a.py": "# FIX" "ME\n"}, "finish it")

    def test_paths_of_one_machine(self):
        for path in ("/wo" "rk/main", "/ho" "me/anna/x", "/t" "mp/mesh"):
            self.assert_caught({"docs/a.md": f"see {path}\n"}, path[:5])

    def test_cpp_words(self):
        for line in ("throw 1;", "std::rand();", "using namespace std;", "  assert(x);", 'std::cout << "";'):
            self.assert_caught({"src/core/a.cc": line + "\n"}, "src/core/a.cc:1")


if __name__ == "__main__":
    unittest.main()
