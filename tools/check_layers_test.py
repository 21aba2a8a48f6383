# SPDX-License-Identifier: Apache-2.0
"""Each planted violation of the layers must be caught; the clean tree must pass."""

import unittest

import check_layers
from planted_tree import PlantedTreeTest


class LayersTest(PlantedTreeTest):
    check = staticmethod(check_layers.check)
    clean = {
        "src/foundation/base/CMakeLists.txt": "hm_module(base HEADERS bytes.h)",
        "src/foundation/base/bytes.h": "#include <span>\n",
        "src/core/identity/CMakeLists.txt": "hm_module(identity HEADERS ids.h DEPENDS base)",
        "src/core/identity/ids.h": '#include "foundation/base/bytes.h"\n',
        "src/core/ledger/CMakeLists.txt": "hm_module(ledger\n  HEADERS ledger.h  # public\n"
        "  SOURCES ledger.cc\n  DEPENDS base identity)",
        "src/core/ledger/ledger.h": '#include "core/identity/ids.h"\n',
        "src/core/ledger/apply.h": "// A float in a comment, and std::mutex.\n",
        "src/core/ledger/ledger.cc": '#include "core/ledger/apply.h"\nauto s = "double";\n',
        "src/core/consensus/CMakeLists.txt": "hm_module(consensus HEADERS replica.h DEPENDS base)",
        "src/core/consensus/replica.h": '#include "foundation/base/bytes.h"\n',
        "src/node/CMakeLists.txt": "hm_module(node HEADERS node.h DEPENDS ledger consensus)",
        "src/node/node.h": '#include "core/ledger/ledger.h"\n',
        "src/platform/linux/CMakeLists.txt": "hm_module(linux HEADERS clock.h DEPENDS base)",
        "src/platform/linux/clock.h": "#include <sys/types.h>\n",
    }

    def test_clean_tree_passes(self):
        self.assert_clean()

    def test_upward_include(self):
        self.assert_caught(
            {"src/foundation/base/bytes.h": '#include "core/identity/ids.h"\n'},
            "foundation may not include core",
        )

    def test_node_and_platform_never_meet(self):
        self.assert_caught(
            {"src/node/node.h": '#include "platform/linux/clock.h"\n'}, "node may not include platform"
        )
        self.assert_caught(
            {"src/platform/linux/clock.h": '#include "node/node.h"\n'}, "platform may not include node"
        )

    def test_undeclared_sibling(self):
        self.assert_caught(
            {"src/core/consensus/replica.h": '#include "core/ledger/ledger.h"\n'},
            "ledger is not in DEPENDS of consensus",
        )

    def test_private_header_of_another_module(self):
        self.assert_caught(
            {"src/node/node.h": '#include "core/ledger/apply.h"\n'}, "not among the HEADERS"
        )

    def test_relative_and_unknown_paths(self):
        self.assert_caught({"src/core/ledger/ledger.cc": '#include "apply.h"\n'}, "no file below src/")
        self.assert_caught(
            {"src/core/ledger/ledger.cc": '#include "core/ledger/../identity/ids.h"\n'}, "no file below"
        )

    def test_cycle_in_depends(self):
        self.assert_caught(
            {"src/core/identity/CMakeLists.txt": "hm_module(identity HEADERS ids.h DEPENDS base ledger)"},
            "cycle",
        )

    def test_unknown_module_and_wrong_name(self):
        self.assert_caught({"src/node/CMakeLists.txt": "hm_module(node DEPENDS nothing)"}, "unknown module")
        self.assert_caught({"src/node/CMakeLists.txt": "hm_module(driver)"}, "named like its folder")

    def test_impure_core(self):
        for line in (
            "#include <thread>",
            "#include <mutex>",
            "#include <fstream>",
            "#include <sys/socket.h>",
            "#include <boost/asio.hpp>",
            "auto t = std::chrono::steady_clock::now();",
            'auto home = getenv("HOME");',
        ):
            self.assert_caught({"src/core/identity/ids.h": line + "\n"}, "core is pure")
        self.assert_caught({"src/node/node.h": "#include <fcntl.h>\n"}, "node is pure")

    def test_inexact_ledger(self):
        for line in ("double rate = 0;", "float x;", "#include <unordered_map>"):
            self.assert_caught({"src/core/ledger/ledger.cc": line + "\n"}, "ledger must be exact")

    def test_coroutine(self):
        self.assert_caught(
            {"src/platform/linux/clock.h": "  co_await timer.wait();\n"}, "no coroutines"
        )

    def test_heavy_public_header(self):
        self.assert_caught(
            {"src/platform/linux/clock.h": "#include <boost/asio.hpp>\n"}, "belong into .cc files"
        )

    def test_folder_that_is_no_layer(self):
        self.assert_caught({"src/helpers/x.h": "\n"}, "helpers is not a layer")


if __name__ == "__main__":
    unittest.main()
