# SPDX-License-Identifier: Apache-2.0
"""Dead links, undescribed modules and doubly used decision numbers must be caught."""

import unittest

import check_docs
from planted_tree import PlantedTreeTest


class DocsTest(PlantedTreeTest):
    check = staticmethod(check_docs.check)
    clean = {
        "README.md": "[how](docs/guide/a.md#top) [web](https://example.org) [here](#x)\n"
        "```\n[not a link](nowhere.md)\n```\n",
        "docs/guide/a.md": "[back](../../README.md)\n",
        "ARCHITECTURE.md": "| `core/ledger` | executes blocks |\n",
        "src/core/ledger/CMakeLists.txt": "hm_module(ledger)",
        "src/core/ledger/ledger.h": "// docs/guide/a.md says why.\n",
        "docs/decisions/0001-one.md": "one\n",
    }

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_dead_link(self):
        self.assert_caught({"docs/guide/a.md": "[x](../gone.md)\n"}, "dead link ../gone.md")

    def test_undescribed_module(self):
        self.assert_caught({"ARCHITECTURE.md": "\n"}, "`core/ledger` is not described")

    def test_cited_document_that_is_missing(self):
        self.assert_caught({"src/core/ledger/ledger.h": "// docs/gone.md\n"}, "cites docs/gone.md")

    def test_decision_numbers(self):
        self.assert_caught({"docs/decisions/0001-two.md": "two\n"}, "number 0001 is taken")
        self.assert_caught({"docs/decisions/three.md": "three\n"}, "NNNN-title.md")


if __name__ == "__main__":
    unittest.main()
